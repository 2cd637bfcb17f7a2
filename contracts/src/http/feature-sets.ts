/** Feature sets as the feature store answers with them: what prediction and the pages read. */
import { z } from 'zod';
import { patientKey, qcVerdict } from '../vocabulary.ts';

const study = z.object({
  role: z.enum(['t1', 'pet']),
  study_id: z.string(),
  study_uid: z.string(),
  study_version: z.string(),
});

export const featureSetVersionView = z.object({
  version: z.int().min(1),
  digest: z.string(),
  run_id: z.string(),
  stored_at: z.string(),
  qc_verdict: qcVerdict,
  qc_reasons: z.array(z.string()),
  usable: z.boolean().describe('false for verdict fail or a retracted study: never part of a forecast'),
  mri: z.boolean(),
  pet: z.boolean(),
  tracer: z.string().nullable(),
  awaiting_pet: z.boolean(),
  studies: z.array(study),
  artifacts: z.array(z.object({ name: z.string(), sha256: z.string(), bytes: z.int() })),
  features_key: z.string().describe('object-store key of this version of roi_features.json'),
});

export const featureSetView = z.object({
  feature_set_id: z.string(),
  patient_key: patientKey,
  patient_id: z.string(),
  session_id: z.string(),
  session_date: z.string(),
  sequence: z.int().min(1).describe('grows with every change: the subject version of features.stored'),
  current: z.int().nullable().describe('version in use; null when withdrawn'),
  versions: z.array(featureSetVersionView),
});
export type FeatureSetView = z.infer<typeof featureSetView>;

export const featureSetList = z.object({ feature_sets: z.array(featureSetView), next: z.string().nullable() });

/** Names of a version's files, in the seed's layout or under BIDS-Derivatives names. */
export const fileList = z.object({
  layout: z.enum(['engram', 'bids']),
  files: z.array(z.object({ name: z.string(), key: z.string(), sha256: z.string(), bytes: z.int() })),
  dataset_description: z.record(z.string(), z.unknown()).nullable(),
});

const histogram = z.array(z.object({ from: z.number(), to: z.number(), count: z.int() }));
export const qualityDistribution = z.object({
  feature_sets: z.int(),
  withdrawn: z.int(),
  verdict: z.record(qcVerdict, z.int()),
  registration_quality: z.record(z.string(), z.int()),
  motion_artifacts: z.record(z.string(), z.int()),
  mri_snr: histogram,
  pet_mean_suvr: histogram,
});
export type QualityDistribution = z.infer<typeof qualityDistribution>;

export const storageUsage = z.object({
  mode: z.enum(['all', 'features-only']),
  preprocessed: z.object({ objects: z.int(), bytes: z.int() }),
  raw: z.object({ objects: z.int(), bytes: z.int() }),
});
