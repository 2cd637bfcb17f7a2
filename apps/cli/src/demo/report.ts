/** What the demo shows: the JSON report of the contract, and tables for people. */
import {
  AAL_93,
  type DemoReport,
  type Forecast,
  HORIZONS_MONTHS,
  horizonKey,
  type RoiFeatures,
  SCORES,
} from '@engram/contracts';
import { forPeople } from '../output.ts';
import { table } from '../table.ts';
import type { DemoSession } from './scans.ts';

export interface ShownSession {
  readonly session: DemoSession;
  readonly report: DemoReport['sessions'][number];
  readonly features: RoiFeatures | null;
  readonly seconds: number | null;
}

/** Regions a reader of dementia imaging looks at first. */
const SHOWN = ['Hippocampus_L', 'Hippocampus_R', 'ParaHippocampal_L', 'Temporal_Mid_L', 'Precuneus_L', 'Precentral_L'];

const fixed = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
const off = (value: number | null | undefined, truth: number | undefined): string =>
  value === null || value === undefined || !truth ? '–' : `${(100 * (value / truth - 1)).toFixed(1)} %`;

export function sessionsTable(sessions: readonly ShownSession[]): string {
  return table([
    ['session', 'status', 'seconds', 'QC', 'SNR', 'registration', 'brain mL', 'head mL', 'ventricles mL', 'mean SUVR'],
    ...sessions.map(({ report, features, seconds }) => [
      report.session_date,
      report.status,
      fixed(seconds, 1),
      report.qc.verdict,
      fixed(features?.quality_metrics.mri_snr, 1),
      features?.quality_metrics.registration_quality ?? '–',
      fixed(features ? features.tissue_ml.gm + features.tissue_ml.wm : null, 0),
      fixed(features?.head_size_ml, 0),
      fixed(features?.tissue_ml.ventricles, 1),
      fixed(features?.quality_metrics.pet_mean_suvr, 3),
    ]),
  ]);
}

/** Measured beside the truth the phantom was made from; for real scans measured alone. */
export function regionsTable(sessions: readonly ShownSession[]): string {
  const rows = sessions.flatMap(({ session, report, features }) =>
    features === null
      ? []
      : SHOWN.map((name) => {
          const at = AAL_93.regions.findIndex((region) => region.name === name);
          const volume = features.mri_roi_features[at];
          const suvr = features.pet_roi_features?.[at];
          const { truth } = session;
          return [
            report.session_date,
            name,
            fixed(volume, 0),
            fixed(truth?.gmMm3[at], 0),
            off(volume, truth?.gmMm3[at]),
            fixed(suvr, 3),
            fixed(truth?.suvr[at], 3),
            off(suvr, truth?.suvr[at]),
          ];
        }),
  );
  return table([['session', 'region', 'grey mm³', 'truth', 'off', 'SUVR', 'truth', 'off'], ...rows]);
}

export function forecastTable(forecast: Forecast): string {
  const level =
    forecast.intervals['6_months'].mmse.find((interval) => interval.level === 0.8)?.level ??
    forecast.intervals['6_months'].mmse[0]?.level ??
    0;
  const cell = (months: (typeof HORIZONS_MONTHS)[number], score: (typeof SCORES)[number]): string => {
    const key = horizonKey(months);
    const interval = forecast.intervals[key][score].find((entry) => entry.level === level);
    const digits = score === 'mmse' || score === 'adas_cog' ? 1 : 1;
    return `${forecast.predictions[key][score].toFixed(digits)} (${fixed(interval?.lower, digits)}–${fixed(interval?.upper, digits)})`;
  };
  return table([
    ['months', 'MMSE', 'CDR global', 'CDR-SB', 'ADAS-Cog 13', 'P(CDR ≥ 1)'],
    ...HORIZONS_MONTHS.map((months) => [
      String(months),
      ...SCORES.map((score) => cell(months, score)),
      `${(100 * forecast.probabilities[horizonKey(months)].cdr_global_ge_1).toFixed(0)} %`,
    ]),
  ]).concat(`\nin brackets: ${Math.round(level * 100)} % interval`);
}

export function durationsLine(durations: DemoReport['durations']): string {
  return Object.entries(durations)
    .map(([name, seconds]) => `${name.replace(/_s$/, '').replaceAll('_', ' ')} ${forPeople(Number(seconds))}`)
    .join(' · ');
}
