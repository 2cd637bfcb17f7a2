/**
 * `engram.config.yaml`: the parameters of the pipelines, under the names of the pipeline seed document and with its
 * defaults. Each can be overridden per request in `run.requested.v1`'s `parameters`, under the same names.
 */
import { z } from 'zod';

const modelPath = z
  .string()
  .min(1)
  .nullable()
  .default(null)
  .describe('manifest of a site’s ONNX model (sha256, input contract); null uses the built-in method');

export const pipelineConfig = z.strictObject({
  segmentation: z
    .strictObject({
      model_path: modelPath,
      gpu_memory_limit: z.number().positive().nullable().default(8).describe('GB; null is no limit'),
      batch_size: z.int().min(1).max(64).default(1),
    })
    .prefault({}),
  parcellation: z
    .strictObject({
      depth_number: z.int().min(1).max(20).default(5).describe('bands of white-matter depth'),
      atlas_path: z.string().min(1).nullable().default(null).describe('atlas folder with a manifest; null is AAL'),
    })
    .prefault({}),
  wmh_detection: z
    .strictObject({
      model_path: modelPath,
      threshold: z.number().min(0).max(1).default(0.5),
      min_size: z.int().min(1).default(10).describe('voxels'),
    })
    .prefault({}),
  cmb_detection: z
    .strictObject({
      model1_path: modelPath,
      model2_path: modelPath,
      min_threshold: z.number().min(0).max(1).default(0.084),
      fp_reduction_threshold: z.number().min(0).max(1).default(0.357),
    })
    .prefault({}),
  dwi_analysis: z
    .strictObject({
      threshold: z.number().min(0).max(1).default(0.3),
      parcellation_regions: z.array(z.int().min(0)).default([103, 104, 109, 110, 111, 112]),
    })
    .prefault({}),
  n4: z
    .strictObject({
      shrink_mm: z.number().min(1).max(8).default(4).describe('step of the working grid'),
      levels: z.int().min(1).max(6).default(4),
      iterations: z.int().min(1).max(200).default(50).describe('at most, at each level'),
      spline_mm: z.number().min(20).max(400).default(200).describe('spline cell at the first level'),
    })
    .prefault({}),
  registration: z
    .strictObject({
      transform: z.enum(['deformable', 'affine', 'rigid']).default('deformable').describe('the richest that is tried'),
      interpolation: z.literal('nearestneighbour').default('nearestneighbour').describe('of label images'),
      cost_function: z
        .literal('normcorr')
        .default('normcorr')
        .describe('of the deformable registration: local, windowed'),
      grid_mm: z.number().min(1).max(6).default(1).describe('finest grid; coarser where the T1 is'),
    })
    .prefault({}),
  suvr: z
    .strictObject({
      reference_region: z.literal('whole-cerebellum').default('whole-cerebellum'),
      erode_voxels: z.int().min(0).max(5).default(1),
    })
    .prefault({}),
});
export type PipelineConfig = z.infer<typeof pipelineConfig>;

/** The whole file. */
export const configFile = z.strictObject({ pipelines: pipelineConfig.prefault({}) });
export type ConfigFile = z.infer<typeof configFile>;
