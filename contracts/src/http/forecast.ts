/** `POST /api/v1/adni/predict-progression`: the seed's answer, with what was measured, missing and which versions. */
import { z } from 'zod';
import { HORIZONS_MONTHS, horizonKey } from '../vocabulary.ts';

export const predictRequest = z
  .object({ patient_id: z.string().min(1).max(128) })
  .describe('the FHIR Patient id; may also be given as query parameter patient_id');

const perScore = <S extends z.ZodType>(inner: S) =>
  z.object({ mmse: inner, cdr_global: inner, cdr_sob: inner, adas_cog: inner });
const perHorizon = <S extends z.ZodType>(inner: S) =>
  z.object(
    Object.fromEntries(HORIZONS_MONTHS.map((m) => [horizonKey(m), inner])) as Record<ReturnType<typeof horizonKey>, S>,
  );

export const interval = z.object({ lower: z.number(), upper: z.number(), level: z.number() });
export const scorePoint = z.object({ date: z.string(), value: z.number(), reference: z.string().nullable() });

export const forecast = z.object({
  forecast_id: z.string(),
  patient_id: z.string(),
  prediction_timestamp: z.string(),
  /** Date of the latest measured input: horizons count from here. */
  index_date: z.string(),
  historical_visits: z.int().min(0),
  predictions: perHorizon(perScore(z.number())),
  intervals: perHorizon(perScore(z.array(interval).min(1))),
  probabilities: perHorizon(z.object({ cdr_global_ge_1: z.number().min(0).max(1) })),
  confidence_scores: perHorizon(perScore(z.number().min(0).max(1))),
  trajectory: z.object({
    measured: perScore(z.array(scorePoint)),
    predicted: perScore(
      z.array(z.object({ date: z.string(), months: z.int(), value: z.number(), lower: z.number(), upper: z.number() })),
    ),
  }),
  inputs: z.object({
    feature_sets: z.array(
      z.object({
        feature_set_id: z.string(),
        version: z.int(),
        session_id: z.string(),
        session_date: z.string(),
        qc_verdict: z.string(),
        used: z.boolean(),
        study_ids: z.array(z.string()).describe('FHIR ImagingStudy ids behind it'),
      }),
    ),
    scores: z.array(
      z.object({
        score: z.string(),
        date: z.string(),
        value: z.number(),
        reference: z.string().nullable(),
        code: z.string(),
      }),
    ),
    demographics: z
      .object({ age_years: z.boolean(), sex: z.boolean(), education_years: z.boolean(), apoe4: z.boolean() })
      .describe('which were known'),
    missing: z.array(z.string()),
  }),
  adas_cog_version: z.literal('ADAS-Cog 13'),
  model_version: z.string(),
  calibration_source: z.string(),
  processing_time_seconds: z.number(),
  cached: z.boolean(),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
  disclaimer: z.string(),
});
export type Forecast = z.infer<typeof forecast>;

/** Forecasts of a patient, newest first, and why there is none now. */
export const forecastHistory = z.object({
  forecasts: z.array(
    z.object({
      forecast_id: z.string(),
      made_at: z.string(),
      index_date: z.string(),
      model_version: z.string(),
      current: z.boolean(),
      withdrawn: z.string().nullable().describe('why it no longer stands'),
    }),
  ),
  refusal: z.object({ code: z.string(), reason: z.string() }).nullable(),
});
