/** `quality_metrics.json`: the seed's QC metrics, each with formula, unit and threshold, and one verdict. */
import { z } from 'zod';
import { qcVerdict } from '../vocabulary.ts';

export const registrationQuality = z.enum(['good', 'acceptable', 'poor', 'failed']);
export const motionArtifacts = z.enum(['none', 'mild', 'severe', 'not_assessable']);

/** One measured figure with what it was compared to. */
export const qcMetric = z.object({
  name: z.string(),
  value: z.number().nullable(),
  unit: z.string(),
  formula: z.string(),
  pass: z.string().describe('the condition for pass, in words'),
  review: z.string().describe('the condition for review; beyond it is fail'),
  verdict: qcVerdict,
});
export type QcMetric = z.infer<typeof qcMetric>;

export const qualityMetrics = z.object({
  schema: z.literal('engram/quality-metrics/1'),
  verdict: qcVerdict,
  reasons: z.array(z.string()),
  mri_snr: z.number(),
  mri_brain_volume_ml: z.number(),
  pet_mean_suvr: z.number().nullable(),
  pet_std_suvr: z.number().nullable(),
  registration_quality: registrationQuality,
  motion_artifacts: motionArtifacts,
  preprocessing_warnings: z.array(z.string()),
  metrics: z.array(qcMetric),
});
export type QualityMetrics = z.infer<typeof qualityMetrics>;
