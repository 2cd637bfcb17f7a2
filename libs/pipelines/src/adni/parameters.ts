/** Parameters of the `adni` pipeline; the names under `registration` and their defaults are the seed's. */
import { z } from 'zod';

export const adniParameters = z
  .object({
    import: z
      .object({
        missing_slices: z
          .enum(['interpolate', 'refuse'])
          .default('interpolate')
          .describe('a single slice missing between two others is their mean, with a warning; more is always refused'),
      })
      .prefault({}),
    n4: z
      .object({
        shrink_mm: z.number().min(1).max(8).default(4).describe('step of the working grid'),
        levels: z.int().min(1).max(6).default(4),
        iterations: z.int().min(1).max(200).default(50).describe('at most, at each level'),
        spline_mm: z.number().min(20).max(400).default(200).describe('spline cell at the first level'),
      })
      .prefault({}),
    registration: z
      .object({
        transform: z
          .enum(['deformable', 'affine', 'rigid'])
          .default('deformable')
          .describe('the richest that is tried'),
        interpolation: z.literal('nearestneighbour').default('nearestneighbour').describe('of label images'),
        cost_function: z
          .literal('normcorr')
          .default('normcorr')
          .describe('of the deformable registration: local, windowed'),
        grid_mm: z.number().min(1).max(6).default(1).describe('finest grid; coarser where the T1 is'),
      })
      .prefault({}),
    pet: z
      .object({
        pose: z
          .enum(['auto', 'search', 'header'])
          .default('auto')
          .describe(
            'where the PET lies on the T1: found by registration, or as both headers say; auto: see pet-pose.ts',
          ),
      })
      .prefault({}),
    suvr: z
      .object({
        reference_region: z.literal('whole-cerebellum').default('whole-cerebellum'),
        erode_voxels: z.int().min(0).max(5).default(1),
      })
      .prefault({}),
  })
  .prefault({});
export type AdniParameters = z.infer<typeof adniParameters>;
