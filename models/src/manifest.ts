/** `manifest.json` beside a model: what it takes, what it gives, where it comes from, and one case to check it by. */
import { HORIZONS_MONTHS, SCORES } from '@engram/contracts';
import { z } from 'zod';
import { QUANTILES } from './fit/network.ts';
import { INPUT_NAMES } from './inputs/input-vector.ts';

const figures = z.object({
  score: z.enum(SCORES),
  months: z.int(),
  n: z.int(),
  mae: z.number(),
  rmse: z.number(),
  bias: z.number(),
  mae_locf: z.number(),
  mae_stage_slope: z.number(),
  coverage: z.array(z.number()),
  width_80: z.number(),
});

export const evaluation = z.object({
  people: z.int(),
  horizons: z.array(figures),
  event: z.array(z.object({ months: z.int(), brier: z.number(), brier_prevalence: z.number() })),
});

const stressFigures = z.object({ name: z.string(), n: z.int(), mae: z.array(z.number().nullable()) });

export const modelManifest = z.object({
  schema: z.literal('engram/progression-model/1'),
  model_version: z.string().min(1),
  file: z.string().regex(/^[^/\\]+\.onnx$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int(),
  opset: z.int(),
  input: z.object({ name: z.string(), names: z.array(z.string()) }),
  outputs: z.object({
    quantiles: z.object({ name: z.string(), levels: z.array(z.number()), scores: z.array(z.enum(SCORES)) }),
    event: z.object({ name: z.string(), means: z.string() }),
  }),
  horizons_months: z.array(z.int()),
  /** Width of the middle 80 % of each output over everyone, `[horizon * 4 + score]`: what an uninformed forecast has. */
  marginal_width_80: z.array(z.number()),
  calibration_source: z.string().describe('`simulated`, or the name of the table the intervals were calibrated on'),
  training: z.object({ source: z.string(), seed: z.int(), people: z.int(), calibration_people: z.int() }),
  metrics: evaluation,
  /** MAE 24 months ahead by score when less is known, and in subgroups. */
  stress: z.array(stressFigures),
  golden: z.object({
    input: z.array(z.number()),
    quantiles: z.array(z.number()),
    event_probability: z.array(z.number()),
  }),
});
export type ModelManifest = z.infer<typeof modelManifest>;

const same = (a: readonly unknown[], b: readonly unknown[]): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The first way in which a manifest does not fit this version's input and output contract; undefined when it fits. */
export function contractBreak(manifest: ModelManifest): string | undefined {
  if (!same(manifest.input.names, INPUT_NAMES)) return 'input.names';
  if (!same(manifest.horizons_months, HORIZONS_MONTHS)) return 'horizons_months';
  if (!same(manifest.outputs.quantiles.levels, QUANTILES)) return 'outputs.quantiles.levels';
  if (!same(manifest.outputs.quantiles.scores, SCORES)) return 'outputs.quantiles.scores';
  return undefined;
}
