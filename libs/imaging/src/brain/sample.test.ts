import { IDENTITY } from '@engram/volume';
import { expect, test } from 'vitest';
import { sampleOnto } from './sample.ts';

test('a linear ramp is sampled exactly between voxels and marked outside', () => {
  const shape = [4, 5, 6] as const;
  const ramp = Float32Array.from({ length: 120 }, (_, i) => {
    return (i % 4) + 10 * (Math.floor(i / 4) % 5) + 100 * Math.floor(i / 20);
  });
  const shift = [1, 0, 0, 0.5, 0, 1, 0, 1.25, 0, 0, 1, 0, 0, 0, 0, 1];
  const out = sampleOnto({ shape, affine: IDENTITY, data: ramp }, shift, { shape, affine: IDENTITY }, Number.NaN);
  expect(out[0]).toBeCloseTo(0.5 + 12.5, 5);
  expect(out[1 + 4 * 2 + 20 * 3]).toBeCloseTo(1.5 + 32.5 + 300, 4);
  expect(out[4 * 4]).toBeNaN();
});
