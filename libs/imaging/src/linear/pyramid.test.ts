import { applyAffine, type Shape3, type Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { pyramid } from './pyramid.ts';

const ramp = (shape: Shape3, affine: readonly number[]): Volume => {
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  for (let at = 0; at < data.length; at++) {
    const i = at % shape[0];
    const j = Math.floor(at / shape[0]) % shape[1];
    const [x, y, z] = applyAffine(affine, [i, j, Math.floor(at / shape[0] / shape[1])]);
    data[at] = x + 2 * y - 3 * z;
  }
  return { shape, affine, frames: 1, data };
};

test('a ramp stays the same ramp in world space at every level, away from the border', () => {
  const image = ramp([40, 36, 32], [0, 1, 0, 5, -1, 0, 0, 9, 0, 0, 1, -7, 0, 0, 0, 1]);
  for (const { shape, affine, data } of pyramid(image, [1, 2, 4])) {
    let checked = 0;
    for (let k = 2; k < shape[2] - 2; k++)
      for (let j = 2; j < shape[1] - 2; j++)
        for (let i = 2; i < shape[0] - 2; i++) {
          const [x, y, z] = applyAffine(affine, [i, j, k]);
          expect(Math.abs(data[(k * shape[1] + j) * shape[0] + i] - (x + 2 * y - 3 * z))).toBeLessThan(1e-3);
          checked++;
        }
    expect(checked).toBeGreaterThan(50);
  }
});

test('thick slices are left alone while the plane is thinned', () => {
  const image = ramp([64, 64, 12], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1]);
  expect(pyramid(image, [1, 2, 4]).map((level) => level.shape)).toEqual([
    [64, 64, 12],
    [32, 32, 12],
    [16, 16, 12],
  ]);
});
