/**
 * A segmenter whose answer is known without running it: it cuts the normalised intensity into equal bands, one a label.
 * Channel k is the hat max(0, 1 - |116 x - k|); the hats of all channels add up to 1, and the largest is that of round(116 x).
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeModel, floats, node, OPSET } from '@engram/onnx';
import { GOLDEN_FORMULA, type SegmenterManifest } from './manifest.ts';

/** AAL's own values: every label is a channel. */
const LABELS = Array.from({ length: 117 }, (_, label) => label);
const HIGHEST = LABELS.length - 1;
const GOLDEN_EDGE = 4;
const EVERY = 7;

export const hat = (x: number, channel: number): number => Math.max(0, 1 - Math.abs(HIGHEST * x - channel));

const network = (): Uint8Array =>
  encodeModel(
    {
      name: 'bands',
      tensors: [
        floats('slope', [LABELS.length, 1, 1, 1, 1], new Float64Array(LABELS.length).fill(HIGHEST)),
        floats(
          'centre',
          [LABELS.length],
          LABELS.map((channel) => -channel),
        ),
        floats('one', [], [1]),
      ],
      nodes: [
        node('Conv', ['image', 'slope', 'centre'], 'offset'),
        node('Abs', ['offset'], 'distance'),
        node('Sub', ['one', 'distance'], 'height'),
        node('Relu', ['height'], 'posteriors'),
      ],
      inputs: [['image', [1, 1, 'S', 'A', 'R']]],
      outputs: [['posteriors', [1, LABELS.length, 'S', 'A', 'R']]],
    },
    {},
  );

/** The network's expected output on the golden case, from the hats' formula. */
function goldenValues(): number[] {
  const voxels = GOLDEN_EDGE ** 3;
  const values: number[] = [];
  for (let at = 0; at < LABELS.length * voxels; at += EVERY)
    values.push(hat(((7919 * (at % voxels)) % 1000) / 999, Math.floor(at / voxels)));
  return values;
}

export interface BandsOptions {
  readonly spacingMm?: number;
  readonly divisor?: number;
  readonly version?: string;
}

/** Writes the folder and gives its manifest. */
export async function writeBands(dir: string, options: BandsOptions = {}): Promise<SegmenterManifest> {
  const bytes = network();
  const manifest: SegmenterManifest = {
    schema: 'engram/segmenter/1',
    name: 'bands',
    version: options.version ?? '1',
    statement: 'made by a formula for tests, trained on nothing',
    file: 'bands.onnx',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    opset: OPSET,
    input: {
      name: 'image',
      axes: 'SAR',
      spacing_mm: options.spacingMm ?? 2,
      divisor: options.divisor ?? 1,
      normalisation: { kind: 'percentiles', within: 'brain', low: 1, high: 99 },
    },
    output: { name: 'posteriors', labels: LABELS },
    golden: {
      formula: GOLDEN_FORMULA,
      shape: [GOLDEN_EDGE, GOLDEN_EDGE, GOLDEN_EDGE],
      every: EVERY,
      values: goldenValues(),
      // Single precision of a product of about 116.
      tolerance: 1e-4,
    },
    provenance: {},
  };
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'bands.onnx'), bytes);
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));
  return manifest;
}
