/**
 * `manifest.json` of a segmenter: a network that labels a T1 with AAL values. What it takes, what it gives, one case to check
 * it by, and where it comes from. `models/segmenter` writes it.
 */
import { AAL_93 } from '@engram/contracts';
import { z } from 'zod';

/** Of the golden case: the value of voxel i, in the order of the tensor. */
export const GOLDEN_FORMULA = '((7919 i) mod 1000) / 999';

const input = z.object({
  name: z.string().min(1),
  axes: z.literal('SAR').describe('of the tensor [1, 1, S, A, R]: to superior, anterior, right; R fastest'),
  spacing_mm: z.number().min(0.5).max(8).describe('edge of the cubic voxels'),
  divisor: z.int().min(1).max(64).describe('each size of the grid is a multiple of this'),
  normalisation: z
    .object({
      kind: z.literal('percentiles').describe('low becomes 0, high becomes 1, what lies beyond is clipped'),
      within: z.literal('brain'),
      low: z.number().min(0).max(100),
      high: z.number().min(0).max(100),
    })
    .refine(({ low, high }) => low < high, { error: 'low must lie below high', path: ['low'] }),
});

const output = z.object({
  name: z.string().min(1),
  labels: z.array(z.int().min(0).max(116)).describe('AAL value of each channel of [1, channel, S, A, R]; 0 is none'),
});

const golden = z.object({
  formula: z.literal(GOLDEN_FORMULA),
  shape: z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]).describe('S, A, R'),
  every: z.int().min(1).describe('the output is compared at each so many-th value, from the first'),
  values: z.array(z.number()).min(1),
  tolerance: z.number().positive().max(0.01),
});

export const segmenterManifest = z
  .object({
    schema: z.literal('engram/segmenter/1'),
    name: z.string().min(1),
    version: z.string().min(1),
    statement: z.string().min(1).describe('what it was trained on and may be used for, in words'),
    file: z.string().regex(/^[^/\\]+\.onnx$/, 'must name an ONNX file in the folder'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex'),
    opset: z.int().min(13),
    input,
    output,
    golden,
    /** How it was made: seeds, label maps by sha256, code. */
    provenance: z.record(z.string(), z.unknown()),
  })
  .superRefine(({ input: { divisor }, output: { labels }, golden: { shape } }, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (labels[0] !== 0) refuse(['output', 'labels'], 'the first channel must be 0, none of the regions');
    if (new Set(labels).size < labels.length) refuse(['output', 'labels'], 'two channels have one label');
    const missing = AAL_93.regions.find((region) => !region.labels.some((label) => labels.includes(label)));
    if (missing) refuse(['output', 'labels'], `no channel stands for ${missing.name} of ${AAL_93.id}`);
    if (shape.some((size) => size % divisor !== 0)) refuse(['golden', 'shape'], `must be multiples of ${divisor}`);
  });
export type SegmenterManifest = z.infer<typeof segmenterManifest>;
