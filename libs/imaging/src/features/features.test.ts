import type { LabelVolume, Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { headSizeMl } from './head-size.ts';
import { regionMeans } from './region-means.ts';
import { regionVolumes } from './region-volumes.ts';

const shape = [6, 5, 4] as const;
/** Oblique, 2 x 3 x 1.5 mm: the voxel's volume is 9 mm³. */
const affine = [
  2,
  0,
  0,
  -5,
  0,
  3 * Math.cos(0.3),
  -1.5 * Math.sin(0.3),
  2,
  0,
  3 * Math.sin(0.3),
  1.5 * Math.cos(0.3),
  1,
  0,
  0,
  0,
  1,
];
const length = 120;
const labels = Uint16Array.from({ length }, (_, at) => [0, 7, 8, 20][(at * 7) % 4]);
const atlas: LabelVolume = { shape, affine, data: labels };
const values = Float32Array.from({ length }, (_, at) => ((at * 13) % 11) / 11);
const image: Volume = { shape, affine, frames: 1, data: values };
const regions = [
  { name: 'A', labels: [20] },
  { name: 'B', labels: [7, 8] },
];

/** Naive: one filter a region. */
const pick = (wanted: readonly number[], keep: (at: number) => boolean = () => true): number[] =>
  [...values].filter((_, at) => wanted.includes(labels[at]) && keep(at));
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

test('a region’s volume is the sum of its grey matter shares times the voxel volume, in the order of the list', () => {
  const found = regionVolumes(image, atlas, regions);
  expect(found[0]).toBeCloseTo(sum(pick([20])) * 9, 4);
  expect(found[1]).toBeCloseTo(sum(pick([7, 8])) * 9, 4);
});

test('a region’s mean is over its measured voxels only, and says how many of them there were', () => {
  const mask = { shape, affine, data: Uint8Array.from({ length }, (_, at) => (at < 70 ? 1 : 0)) };
  const { means, coverage } = regionMeans(image, atlas, regions, mask);
  const [inside, all] = [pick([7, 8], (at) => at < 70), pick([7, 8])];
  expect(means[1]).toBeCloseTo(sum(inside) / inside.length, 6);
  expect(coverage[1]).toBeCloseTo(inside.length / all.length, 9);
  expect(regionMeans(image, atlas, regions).coverage).toEqual([1, 1]);
});

test('a region without a voxel is refused by name, never given a made-up number', () => {
  const more = [...regions, { name: 'Heschl_L', labels: [99] }];
  expect(() => regionVolumes(image, atlas, more)).toThrow('Heschl_L');
  const none = { shape, affine, data: Uint8Array.from(labels, (label) => (label === 20 ? 0 : 1)) };
  expect(() => regionMeans(image, atlas, regions, none)).toThrow(expect.objectContaining({ code: 'REGION_EMPTY' }));
});

test('an atlas on another grid is refused', () => {
  const moved: LabelVolume = { ...atlas, affine: affine.map((value, k) => (k === 3 ? value + 1 : value)) };
  expect(() => regionVolumes(image, moved, regions)).toThrow(expect.objectContaining({ code: 'MASK_GRID_MISMATCH' }));
});

test('a head the affine must enlarge by 20 % has a smaller intracranial volume than the template', () => {
  const grow = Math.cbrt(1.2);
  expect(headSizeMl(1800, [grow, 0, 0, 5, 0, grow, 0, 0, 0, 0, grow, 0, 0, 0, 0, 1])).toBeCloseTo(1500, 6);
});
