/** The answer in the contract's form. Pure. */
import { createHash } from 'node:crypto';
import {
  type Forecast,
  HORIZONS_MONTHS,
  type HorizonKey,
  horizonKey,
  RESEARCH_USE_ONLY,
  type Score,
  SIMULATED_WEIGHTS,
} from '@engram/contracts';
import type { HorizonOutcome, ModelManifest } from '@engram/models';
import { type ForecastInputs, monthsAfter } from './decide.ts';
import type { PatientInputs } from './projection.ts';

/** Equal inputs and model give one forecast: its id is what makes every later write replay-safe. */
export const forecastIdOf = (patientKey: string, inputDigest: string, modelVersion: string): string =>
  `f-${createHash('sha256').update([patientKey, inputDigest, modelVersion].join('\n')).digest('hex').slice(0, 24)}`;

const perScore = <T>(value: (score: Score) => T): Record<Score, T> => ({
  mmse: value('mmse'),
  cdr_global: value('cdr_global'),
  cdr_sob: value('cdr_sob'),
  adas_cog: value('adas_cog'),
});

function perHorizon<T>(
  outcomes: readonly HorizonOutcome[],
  value: (outcome: HorizonOutcome) => T,
): Record<HorizonKey, T> {
  const entries = HORIZONS_MONTHS.map((months) => {
    const outcome = outcomes.find((each) => each.months === months);
    if (!outcome) throw new RangeError(`the model gave no outcome at ${months} months`);
    return [horizonKey(months), value(outcome)] as const;
  });
  return Object.fromEntries(entries) as Record<HorizonKey, T>;
}

/** Level of the band that the trajectory is drawn with. */
const DRAWN_LEVEL = 0.8;

export interface AssembleFacts {
  readonly patient: PatientInputs;
  readonly inputs: ForecastInputs;
  readonly outcomes: readonly HorizonOutcome[];
  readonly manifest: Pick<ModelManifest, 'model_version' | 'calibration_source'>;
  readonly madeAt: Date;
}

export function assembleForecast({ patient, inputs, outcomes, manifest, madeAt }: AssembleFacts): Forecast {
  const simulated = manifest.calibration_source === 'simulated';
  const { history, indexDate } = inputs;
  return {
    forecast_id: forecastIdOf(patient.patient_key, inputs.digest, manifest.model_version),
    patient_id: patient.patient_id,
    prediction_timestamp: madeAt.toISOString(),
    index_date: indexDate,
    historical_visits: inputs.sessions.filter((session) => session.used).length,
    predictions: perHorizon(outcomes, ({ scores }) => perScore((score) => scores[score].value)),
    intervals: perHorizon(outcomes, ({ scores }) =>
      perScore((score) => scores[score].intervals.map((interval) => ({ ...interval }))),
    ),
    probabilities: perHorizon(outcomes, ({ eventProbability }) => ({ cdr_global_ge_1: eventProbability })),
    confidence_scores: perHorizon(outcomes, ({ scores }) => perScore((score) => scores[score].confidence)),
    trajectory: {
      measured: perScore((name) =>
        inputs.scores
          .filter((each) => each.score === name)
          .map(({ date, value, reference }) => ({ date, value, reference })),
      ),
      predicted: perScore((name) =>
        outcomes.map(({ months, scores }) => {
          const band = scores[name].intervals.find(({ level }) => level === DRAWN_LEVEL);
          const { value } = scores[name];
          const date = monthsAfter(indexDate, months);
          return { date, months, value, lower: band?.lower ?? value, upper: band?.upper ?? value };
        }),
      ),
    },
    inputs: {
      feature_sets: inputs.sessions.map(({ session, used }) => ({
        feature_set_id: session.feature_set_id,
        version: session.version,
        session_id: session.session_id,
        session_date: session.session_date,
        qc_verdict: session.qc_verdict,
        used,
        study_ids: [...session.study_ids],
      })),
      scores: inputs.scores.map(({ score, date, value, reference, code }) => ({ score, date, value, reference, code })),
      demographics: {
        age_years: history.ageYears !== null,
        sex: history.sex !== null,
        education_years: history.educationYears !== null,
        apoe4: history.apoe4 !== null,
      },
      missing: [...inputs.missing],
    },
    adas_cog_version: 'ADAS-Cog 13',
    model_version: manifest.model_version,
    calibration_source: manifest.calibration_source,
    processing_time_seconds: 0,
    cached: false,
    warnings: warningsOf(inputs, simulated),
    disclaimer: simulated ? `${RESEARCH_USE_ONLY} ${SIMULATED_WEIGHTS}` : RESEARCH_USE_ONLY,
  };
}

/** Warnings depend on the day of asking, so they are said anew with every answer. */
export const warningsOf = (inputs: ForecastInputs, simulated: boolean): Forecast['warnings'] => [
  ...inputs.warnings.map(({ code, message }) => ({ code, message })),
  ...(simulated ? [{ code: 'SIMULATED_WEIGHTS', message: SIMULATED_WEIGHTS }] : []),
];
