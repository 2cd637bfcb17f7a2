import { applyAffine, type MaskVolume, voxelSize } from '@engram/volume';
import { expect, test } from 'vitest';
import { workingGrid } from './working-grid.ts';

const cubes = { shape: [40, 50, 30], affine: [-1.5, 0, 0, 30, 0, 1.5, 0, -40, 0, 0, 1.5, 5, 0, 0, 0, 1] } as const;

test('cubes of 1 mm or more are worked on as they are', () => {
  expect(workingGrid(cubes, undefined, 12)).toBe(cubes);
});

test('slices and fine voxels get cubes of the same volume, 1 mm or more, over the same field of view', () => {
  const slices = { shape: [100, 100, 20], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1] } as const;
  const grid = workingGrid(slices, undefined, 12);
  for (const mm of voxelSize(grid.affine)) expect(mm).toBeCloseTo(5 ** (1 / 3), 6);
  expect(grid.shape).toEqual([58, 58, 58]);
  const fine = workingGrid(
    { shape: [100, 90, 80], affine: [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1] },
    undefined,
    12,
  );
  expect(fine.shape).toEqual([50, 45, 40]);
});

test('a mask crops to its box and the margin, and voxels stay where they were', () => {
  const data = new Uint8Array(40 * 50 * 30);
  for (const [x, y, z] of [
    [15, 20, 12],
    [20, 26, 14],
  ])
    data[(z * 50 + y) * 40 + x] = 1;
  const mask: MaskVolume = { ...cubes, data };
  const grid = workingGrid(cubes, mask, 6);
  expect(grid.shape).toEqual([14, 15, 11]);
  const corner = applyAffine(cubes.affine, [11, 16, 8]);
  expect(applyAffine(grid.affine, [0, 0, 0])).toEqual(corner);
  expect(workingGrid(cubes, { ...mask, data: new Uint8Array(data.length) }, 6)).toBe(cubes);
});
