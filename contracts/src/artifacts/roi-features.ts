/** `roi_features.json`: the seed's fields, with labels, units, tracer, reference region, sha256 and lineage added. */
import { z } from 'zod';
import { qcVerdict, sessionDate, sha256 } from '../vocabulary.ts';
import { motionArtifacts, registrationQuality } from './quality-metrics.ts';

const region = z.object({
  index: z.int().min(0).max(92),
  name: z.string().describe('AAL name, such as Hippocampus_L'),
  labels: z.array(z.int()).describe('label values of the atlas image that make up the region'),
});

export const roiFeatures = z.object({
  schema: z.literal('engram/roi-features/1'),
  patient_id: z.string(),
  session_date: sessionDate,
  preprocessing_version: z.string(),
  preprocessing_timestamp: z.string().describe('ISO 8601; left out of the feature digest'),
  mri_roi_features: z.array(z.number().min(0)).length(93),
  pet_roi_features: z.array(z.number()).length(93).nullable(),
  quality_metrics: z.object({
    verdict: qcVerdict,
    mri_snr: z.number(),
    pet_mean_suvr: z.number().nullable(),
    registration_quality: registrationQuality,
    motion_artifacts: motionArtifacts,
  }),
  atlas_registration: z.object({
    method: z
      .string()
      .describe('deformable, affine or rigid: what the features rest on after any fallback; network: a segmenter'),
    metric: z.string(),
    iterations: z.int().min(0),
    convergence: z.number(),
  }),
  region_list: z.object({
    id: z.string().describe('name and version of the label list contract'),
    sha256,
    regions: z.array(region).length(93),
  }),
  units: z.object({ mri: z.literal('mm3'), pet: z.literal('SUVR') }),
  head_size_ml: z.number().describe('eTIV = template intracranial volume / det(affine template <- T1)'),
  tissue_ml: z.object({ gm: z.number(), wm: z.number(), csf: z.number(), ventricles: z.number() }),
  pet: z
    .object({
      tracer: z.string().nullable(),
      reference_region: z.string(),
      constant_regions: z.array(z.string()).describe('regions that are 1 by construction, left out of any model'),
      frames: z.int().min(1),
      window_s: z.tuple([z.number(), z.number()]).nullable(),
    })
    .nullable(),
  waiting: z.array(z.enum(['pet'])),
  artifacts: z.array(z.object({ name: z.string(), sha256, bytes: z.int() })),
  lineage: z.object({
    pipeline: z.string(),
    pipeline_version: z.string(),
    engine_version: z.string(),
    device: z.string(),
    atlas: z.object({ name: z.string(), version: z.string(), sha256 }),
    segmenter: z
      .object({ name: z.string(), version: z.string(), sha256 })
      .optional()
      .describe('network that gave the labels in place of the registered atlas; sha256 of its manifest'),
    inputs: z.array(z.object({ role: z.enum(['t1', 'pet']), sha256, study_uid: z.string().nullable() })),
    tasks: z.array(z.object({ name: z.string(), version: z.int(), key: z.string() })),
  }),
  digest: sha256.describe('sha256 of this document in canonical JSON without timestamps and digest'),
});
export type RoiFeatures = z.infer<typeof roiFeatures>;

export const preprocessingLog = z.object({
  schema: z.literal('engram/preprocessing-log/1'),
  started: z.string(),
  finished: z.string(),
  tasks: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      key: z.string(),
      reused: z.boolean(),
      started: z.string(),
      seconds: z.number(),
      cpu_seconds: z.number(),
      peak_memory_mb: z.number(),
      notes: z.array(z.string()),
    }),
  ),
  warnings: z.array(z.string()),
});
export type PreprocessingLog = z.infer<typeof preprocessingLog>;
