import { z } from 'zod';
import type { TaskContext } from '../task.ts';
import { readJson } from './files.ts';

export const atlasSummary = z.object({
  /** What the labels rest on after any fallback; `network` where a segmenter gave them and nothing was registered. */
  method: z.enum(['deformable', 'affine', 'rigid', 'network']),
  metric: z.string(),
  iterations: z.int(),
  convergence: z.number(),
  /** 16 numbers: RAS mm of the T1 → RAS mm of the template. */
  affine: z.array(z.number()).length(16),
  /** Which network gave the labels; sha256 of its manifest, which holds that of its weights. */
  segmenter: z.object({ name: z.string(), version: z.string(), sha256: z.string() }).optional(),
  registration_quality: z.enum(['good', 'acceptable', 'poor', 'failed']),
  metrics: z.array(
    z.object({
      name: z.string(),
      value: z.number().nullable(),
      unit: z.string(),
      formula: z.string(),
      pass: z.string(),
      review: z.string(),
      verdict: z.enum(['pass', 'review', 'fail']),
    }),
  ),
});
export type AtlasSummary = z.infer<typeof atlasSummary>;

export const readAtlasSummary = async (context: TaskContext): Promise<AtlasSummary> =>
  atlasSummary.parse(await readJson(context, 'atlas/atlas.json'));
