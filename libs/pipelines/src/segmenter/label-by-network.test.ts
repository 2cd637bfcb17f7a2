import { openDevice } from '@engram/kernels';
import { type Affine, applyAffine, type LabelVolume, type MaskVolume, type Shape3, type Volume } from '@engram/volume';
import { afterAll, expect, test } from 'vitest';
import { hat } from './bands.fixture.ts';
import { judgeLabels } from './judge-labels.ts';
import { labelByNetwork, networkGrid } from './label-by-network.ts';
import type { SegmenterManifest } from './manifest.ts';

const device = await openDevice({ backend: 'scalar' });
afterAll(() => device.close());

const input: SegmenterManifest['input'] = {
  name: 'image',
  axes: 'SAR',
  spacing_mm: 2,
  divisor: 4,
  normalisation: { kind: 'percentiles', within: 'brain', low: 0, high: 100 },
};
/** Ten bands of the intensity. */
const LABELS = Array.from({ length: 11 }, (_, k) => k);
const bands = {
  manifest: { input, output: { name: 'posteriors', labels: LABELS } } as SegmenterManifest,
  posteriors: async (image: Float32Array) => LABELS.map((k) => image.map((x) => hat((10 * x) / 116, k))),
};

/** Axes to L, I and A, no two voxel edges alike. */
const affine: Affine = [-1.2, 0, 0, 31, 0, 0, 1.5, -40, 0, -1, 0, 25, 0, 0, 0, 1];
const shape: Shape3 = [52, 60, 48];
const each = <T>(value: (mm: readonly number[]) => T): T[] =>
  Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, at) =>
    value(
      applyAffine(affine, [
        at % shape[0],
        Math.floor(at / shape[0]) % shape[1],
        Math.floor(at / (shape[0] * shape[1])),
      ]),
    ),
  );
const radius = ([x, y, z]: readonly number[]) => Math.hypot(x, y + 5, z);
const brain: MaskVolume = { shape, affine, data: Uint8Array.from(each((mm) => (radius(mm) < 20 ? 1 : 0))) };

test.each([0, 1, 2])(
  'an intensity that rises along world axis %i is cut into bands along it, on any T1 grid',
  async (axis) => {
    const centre = [0, -5, 0][axis];
    const t1: Volume = { shape, affine, frames: 1, data: Float32Array.from(each((mm) => 500 + 3 * mm[axis])) };
    const { data } = await labelByNetwork(t1, brain, bands, device);
    const expected = each((mm) => (radius(mm) < 20 ? (10 * (mm[axis] - centre + 20)) / 40 : null));
    let wrong = 0;
    expected.forEach((band, at) => {
      // Half a network voxel is a quarter of a band of 4 mm.
      if (band === null ? data[at] !== 0 : Math.abs(data[at] - band) > 0.75) wrong++;
    });
    expect(wrong).toBe(0);
    expect(new Set(data)).toEqual(new Set(LABELS));
  },
);

test('the network’s grid holds the brain and its margin in cubes along R, A, S, in multiples of the divisor', () => {
  const grid = networkGrid(brain, input);
  expect(grid.shape.every((size) => size % 4 === 0)).toBe(true);
  const last = applyAffine(grid.affine, [grid.shape[0] - 1, grid.shape[1] - 1, grid.shape[2] - 1]);
  const first = applyAffine(grid.affine, [0, 0, 0]);
  for (const [k, centre] of [0, -5, 0].entries()) {
    // As far as the image reaches, 16 mm of what surrounds the brain.
    expect(Math.min(centre - first[k], last[k] - centre)).toBeGreaterThan(24);
  }
});

/** Left regions (odd) where x < 0, right ones (even) where x > 0, stacked along z; the vermis nowhere. */
const halves = (left: number, right: number): LabelVolume => ({
  shape,
  affine,
  data: Uint16Array.from(
    each((mm) => (radius(mm) >= 20 ? 0 : 2 * Math.floor(22 + mm[2]) + (mm[0] < 0 ? left : right))),
  ),
});
const gm: Volume = { shape, affine, frames: 1, data: Float32Array.from(brain.data) };
const IDENTITY: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const verdicts = (labels: LabelVolume) =>
  judgeLabels({ labels, gm, toTemplate: IDENTITY }).metrics.map(({ verdict }) => verdict);

test('labels that cover the grey matter, each on its side, are acceptable and never good', () => {
  const { grade, metrics } = judgeLabels({ labels: halves(1, 2), gm, toTemplate: IDENTITY });
  expect(grade).toBe('acceptable');
  expect(metrics[0].value).toBe(100);
  expect(metrics[1].value).toBe(100);
});

test('swapped sides fail, half a brain fails, and nothing at all fails', () => {
  expect(verdicts(halves(2, 1))).toEqual(['pass', 'fail', 'pass']);
  const half = halves(1, 2);
  const left = { ...half, data: half.data.map((label) => (label % 2 === 1 ? label : 0)) };
  expect(verdicts(left)).toEqual(['review', 'pass', 'fail']);
  expect(verdicts({ ...half, data: new Uint16Array(half.data.length) })).toEqual(['fail', 'fail', 'fail']);
});
