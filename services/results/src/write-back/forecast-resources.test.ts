import {
  AI_ASSERTED,
  type Forecast,
  HORIZONS_MONTHS,
  horizonKey,
  RESEARCH_USE_ONLY,
  SCORES,
  SIMULATED_WEIGHTS,
} from '@engram/contracts';
import { describe, expect, test } from 'vitest';
import { diagnosticReport, forecastObservations, monthsAfter, riskAssessment } from './forecast-resources.ts';

const perScore = <T>(value: (score: (typeof SCORES)[number]) => T) =>
  Object.fromEntries(SCORES.map((score) => [score, value(score)]));
const perHorizon = <T>(value: (months: number) => T) =>
  Object.fromEntries(HORIZONS_MONTHS.map((months) => [horizonKey(months), value(months)]));

/** Values that tell their place: month + a tenth per score. */
const forecast = {
  forecast_id: 'f-1',
  patient_id: '1',
  prediction_timestamp: '2024-06-01T08:00:00.000Z',
  index_date: '2024-01-31',
  historical_visits: 2,
  predictions: perHorizon((months) => perScore((score) => months / 10 + SCORES.indexOf(score))),
  intervals: perHorizon(() => perScore(() => [{ lower: 1, upper: 9, level: 0.8 }])),
  probabilities: perHorizon((months) => ({ cdr_global_ge_1: months / 100 })),
  confidence_scores: perHorizon(() => perScore(() => 0.5)),
  trajectory: { measured: perScore(() => []), predicted: perScore(() => []) },
  inputs: {
    feature_sets: [],
    scores: [{ score: 'mmse', date: '2024-01-31', value: 26, reference: 'Observation/9', code: '72106-8' }],
    demographics: { age_years: true, sex: true, education_years: false, apoe4: false },
    missing: [],
  },
  adas_cog_version: 'ADAS-Cog 13',
  model_version: 'm-1',
  calibration_source: 'simulated',
  processing_time_seconds: 0.01,
  cached: false,
  warnings: [],
  disclaimer: `${RESEARCH_USE_ONLY} ${SIMULATED_WEIGHTS}`,
} as unknown as Forecast;

const facts = {
  forecast,
  patientReference: 'Patient/1',
  studyIds: ['17'],
  deviceReference: 'Device/3',
  withdrawn: false,
};

describe('a forecast as FHIR', () => {
  test('one Observation a score and horizon, under our own code, never the measured one, marked as AI-asserted', () => {
    const all = forecastObservations(facts);
    expect(all).toHaveLength(40);
    expect(new Set(all.map((o) => o.identifier?.[0]?.value)).size).toBe(40);
    for (const observation of all) {
      expect(observation.meta?.security).toContainEqual(AI_ASSERTED);
      expect(
        observation.code.coding?.every(
          (coding) => coding.system?.startsWith('https://engram.dev/') && coding.code?.startsWith('predicted-'),
        ),
      ).toBe(true);
      expect(observation.effectiveDateTime).toBe(forecast.prediction_timestamp);
      expect(observation.derivedFrom).toEqual([{ reference: 'ImagingStudy/17' }, { reference: 'Observation/9' }]);
      expect(observation.note?.[0]?.text).toMatch(/Research use only.*SIMULATED/s);
    }
    const mmse24 = all.find((o) => o.identifier?.[0]?.value === 'f-1/mmse/24');
    expect(mmse24?.valueQuantity?.value).toBe(2.4);
    expect(mmse24?.component?.map((c) => c.code.coding?.[0]?.code)).toEqual([
      'horizon',
      'target-date',
      'lower-80',
      'upper-80',
      'calibration-source',
    ]);
  });

  test('probabilities are percentages over a period from the index date, as R4 says', () => {
    const risk = riskAssessment(facts);
    expect(risk.prediction?.map((p) => p.probabilityDecimal)).toEqual(HORIZONS_MONTHS.map((months) => months));
    expect(risk.prediction?.[0]?.whenPeriod).toEqual({ start: '2024-01-31', end: '2024-07-31' });
  });

  test('a site’s own model is not called simulated, and still never goes without the notice', () => {
    const own = { ...facts, forecast: { ...forecast, disclaimer: 'Calibrated on our own cohort.' } };
    const notices = [riskAssessment(own).note?.[0]?.text, diagnosticReport(own, []).conclusion];
    for (const notice of notices) {
      expect(notice).toContain(RESEARCH_USE_ONLY);
      expect(notice).not.toContain('SIMULATED');
    }
  });

  test('a withdrawn forecast is entered in error everywhere', () => {
    const withdrawn = { ...facts, withdrawn: true };
    expect([
      riskAssessment(withdrawn).status,
      diagnosticReport(withdrawn, []).status,
      ...forecastObservations(withdrawn).map((o) => o.status),
    ]).toEqual(Array.from({ length: 42 }, () => 'entered-in-error'));
  });
});

test.each([
  ['2024-01-31', 1, '2024-02-29'],
  ['2023-08-31', 6, '2024-02-29'],
  ['2024-01-15', 60, '2029-01-15'],
  ['2024-12-31', 6, '2025-06-30'],
])('%s and %i months is %s', (date, months, after) => {
  expect(monthsAfter(date, months)).toBe(after);
});
