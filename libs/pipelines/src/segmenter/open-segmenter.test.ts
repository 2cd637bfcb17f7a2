import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hat, writeBands } from './bands.fixture.ts';
import type { SegmenterManifest } from './manifest.ts';
import { checkSegmenter, openSegmenter } from './open-segmenter.ts';

let dir: string;
let sound: SegmenterManifest;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engram-segmenter-'));
  sound = await writeBands(dir);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const rewrite = (manifest: object): Promise<void> => writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));

test('a sound folder is named by its manifest, and its network answers as its formula does', async () => {
  const { sha256 } = await checkSegmenter(dir);
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  const segmenter = await openSegmenter(dir);
  const image = Float32Array.from({ length: 24 }, (_, k) => k / 23);
  const maps = await segmenter.posteriors(image, [2, 3, 4]);
  await segmenter.close();
  expect(maps).toHaveLength(117);
  maps.forEach((map, channel) => {
    map.forEach((value, at) => {
      expect(Math.abs(value - hat(image[at], channel))).toBeLessThan(1e-4);
    });
  });
  await writeBands(dir, { version: '2' });
  expect((await checkSegmenter(dir)).sha256).not.toBe(sha256);
});

describe('a folder is refused by file and field', () => {
  const labels = Array.from({ length: 117 }, (_, k) => k);
  test.each<[string, (manifest: SegmenterManifest) => object, string]>([
    ['another schema', (m) => ({ ...m, schema: 'x' }), 'schema'],
    ['a path out of the folder', (m) => ({ ...m, file: '../bands.onnx' }), 'file'],
    ['another axis order', (m) => ({ ...m, input: { ...m.input, axes: 'RAS' } }), 'input.axes'],
    [
      'percentiles the wrong way round',
      (m) => ({ ...m, input: { ...m.input, normalisation: { ...m.input.normalisation, low: 99, high: 1 } } }),
      'input.normalisation.low',
    ],
    ['no background', (m) => ({ ...m, output: { ...m.output, labels: labels.slice(1) } }), 'output.labels'],
    ['a label twice', (m) => ({ ...m, output: { ...m.output, labels: [...labels, 5] } }), 'output.labels'],
    [
      'a region without a channel',
      (m) => ({ ...m, output: { ...m.output, labels: labels.toSpliced(37, 1) } }),
      'output.labels',
    ],
    ['a golden case off the divisor', (m) => ({ ...m, input: { ...m.input, divisor: 3 } }), 'golden.shape'],
  ])('%s', async (_, change, field) => {
    await rewrite(change(sound));
    await expect(checkSegmenter(dir)).rejects.toMatchObject({ code: 'MODEL_INVALID', file: 'manifest.json', field });
  });

  test('a missing region is named', async () => {
    await rewrite({ ...sound, output: { ...sound.output, labels: labels.toSpliced(37, 1) } });
    await expect(checkSegmenter(dir)).rejects.toThrow('Hippocampus_L');
  });

  test('other weights', async () => {
    const bytes = await readFile(join(dir, 'bands.onnx'));
    bytes[bytes.length >> 1] ^= 1;
    await writeFile(join(dir, 'bands.onnx'), bytes);
    await expect(checkSegmenter(dir)).rejects.toMatchObject({ code: 'MODEL_CORRUPT', file: 'bands.onnx' });
  });

  test.each<[string, (manifest: SegmenterManifest) => object, string]>([
    [
      'a golden value that the runtime does not reproduce',
      (m) => ({ ...m, golden: { ...m.golden, values: m.golden.values.with(3, 0.5) } }),
      'golden.values.3',
    ],
    [
      'a golden case cut short',
      (m) => ({ ...m, golden: { ...m.golden, values: m.golden.values.slice(0, -1) } }),
      'golden.values',
    ],
    [
      'fewer channels than the network has',
      (m) => ({ ...m, output: { ...m.output, labels: labels.slice(0, 116) } }),
      'output.labels',
    ],
    ['an output the network lacks', (m) => ({ ...m, output: { ...m.output, name: 'other' } }), 'output.name'],
  ])('%s', async (_, change, field) => {
    await rewrite(change(sound));
    await expect(openSegmenter(dir)).rejects.toMatchObject({ code: 'MODEL_INVALID', file: 'bands.onnx', field });
  });
});
