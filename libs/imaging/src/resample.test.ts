import {
  applyAffine,
  type DisplacementField,
  IDENTITY,
  invertAffine,
  type Shape3,
  type Vec3,
  type Volume,
} from '@engram/volume';
import { expect, test } from 'vitest';
import { resample, resampleLabels, resampleMask } from './resample.ts';

const image = (shape: Shape3, affine: readonly number[], value: (world: Vec3) => number, frames = 1): Volume => {
  const data = new Float32Array(shape[0] * shape[1] * shape[2] * frames);
  let at = 0;
  for (let t = 0; t < frames; t++)
    for (let k = 0; k < shape[2]; k++)
      for (let j = 0; j < shape[1]; j++)
        for (let i = 0; i < shape[0]; i++) data[at++] = (t + 1) * value(applyAffine(affine, [i, j, k]));
  return { shape, affine, frames, data };
};
const plane = ([x, y, z]: Vec3) => 3 + 0.5 * x - 0.25 * y + 0.125 * z;
/** Axes P, S, L with voxels of 1, 2 and 3 mm: nothing lies where a careless index would put it. */
const oblique = [0, 0, -3, 30, -1, 0, 0, 12, 0, 2, 0, -20, 0, 0, 0, 1];
const shift = [1, 0, 0, 0.7, 0, 1, 0, -1.3, 0, 0, 1, 2.1, 0, 0, 0, 1];

for (const interpolation of ['linear', 'cubic'] as const) {
  test(`${interpolation} interpolation keeps a linear ramp in world space, whatever the axes of either grid`, async () => {
    const source = image([24, 20, 22], oblique, plane);
    const affine = [0, 1.1, 0, -20, 0, 0, 1.2, -2, 1, 0, 0, -6, 0, 0, 0, 1];
    const out = await resample(
      source,
      { shape: [16, 14, 6], affine },
      { matrix: shift, interpolation, outside: Number.NaN },
    );
    let seen = 0;
    const toSource = invertAffine(source.affine);
    for (let k = 0, at = 0; k < 6; k++)
      for (let j = 0; j < 14; j++)
        for (let i = 0; i < 16; i++, at++) {
          const from = applyAffine(shift, applyAffine(affine, [i, j, k]));
          // The mirrored border bends a spline, so its ramp is exact a few voxels further in.
          const margin = interpolation === 'cubic' ? 5 : 0;
          const v = applyAffine(toSource, from);
          if (v.some((c, axis) => c < margin || c > source.shape[axis] - 1 - margin)) continue;
          expect(Math.abs(out.data[at] - plane(from))).toBeLessThan(interpolation === 'cubic' ? 0.02 : 1e-4);
          seen++;
        }
    expect(seen).toBeGreaterThan(100);
  });

  test(`${interpolation} interpolation gives back the voxels on their own grid`, async () => {
    const source = image([9, 8, 7], oblique, ([x, y, z]) => Math.sin(x) + Math.cos(2 * y) * z);
    const out = await resample(source, source, { interpolation });
    expect(Math.max(...source.data.map((v, at) => Math.abs(out.data[at] - v)))).toBeLessThan(1e-4);
  });
}

test('the cubic spline is closer than trilinear on a smooth wave', async () => {
  const wave = ([x]: Vec3) => Math.sin(x / 2);
  const source = image([40, 5, 5], IDENTITY, wave);
  const grid = { shape: [30, 3, 3] as Shape3, affine: [1, 0, 0, 5.5, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1] };
  const worst = async (interpolation: 'linear' | 'cubic') => {
    const out = await resample(source, grid, { interpolation });
    return Math.max(...Array.from({ length: 30 }, (_, i) => Math.abs(out.data[i] - wave([i + 5.5, 0, 0]))));
  };
  expect(await worst('cubic')).toBeLessThan(0.1 * (await worst('linear')));
});

test('a displacement field on another grid is taken before the matrix', async () => {
  const source = image([40, 40, 40], [1, 0, 0, -20, 0, 1, 0, -20, 0, 0, 1, -20, 0, 0, 0, 1], plane);
  const u = ([x, y, z]: Vec3): Vec3 => [0.1 * x + 1, -0.05 * y, 0.02 * z - 2];
  const affine = [4, 0, 0, -16, 0, 4, 0, -16, 0, 0, 4, -16, 0, 0, 0, 1];
  const part = (k: 0 | 1 | 2) => image([9, 9, 9], affine, (p) => u(p)[k]).data;
  const field: DisplacementField = { shape: [9, 9, 9], affine, x: part(0), y: part(1), z: part(2) };
  const turn = [0, -1, 0, 0.5, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const grid = { shape: [5, 6, 7] as Shape3, affine: [1.5, 0, 0, -3, 0, -1.5, 0, 4, 0, 0, 1, -3, 0, 0, 0, 1] };
  const out = await resample(source, grid, { matrix: turn, field, antialias: false });
  let at = 0;
  for (let k = 0; k < 7; k++)
    for (let j = 0; j < 6; j++)
      for (let i = 0; i < 5; i++) {
        const x = applyAffine(grid.affine, [i, j, k]);
        const [a, b, c] = u(x);
        const from = applyAffine(turn, [x[0] + a, x[1] + b, x[2] + c]);
        expect(Math.abs(out.data[at++] - plane(from))).toBeLessThan(1e-4);
      }
});

test('every frame is resampled, and what lies outside gets the value asked for', async () => {
  const source = image([6, 6, 6], IDENTITY, () => 2, 3);
  const out = await resample(source, { shape: [8, 1, 1], affine: IDENTITY }, { outside: -1 });
  expect([...out.data]).toEqual([1, 2, 3].flatMap((t) => [...Array<number>(6).fill(2 * t), -1, -1]));
});

test('going to coarser voxels averages a checkerboard instead of picking one colour', async () => {
  const source = image([32, 32, 32], IDENTITY, ([x, y, z]) => (x + y + z) % 2);
  const grid = { shape: [6, 6, 6] as Shape3, affine: [4, 0, 0, 4, 0, 4, 0, 4, 0, 0, 4, 4, 0, 0, 0, 1] };
  const out = await resample(source, grid, {});
  expect(Math.max(...out.data.map((v) => Math.abs(v - 0.5)))).toBeLessThan(0.01);
  const aliased = await resample(source, grid, { antialias: false });
  expect(Math.max(...aliased.data.map((v) => Math.abs(v - 0.5)))).toBe(0.5);
});

test('labels are never mixed and a mask keeps its volume on a finer grid', async () => {
  const shape: Shape3 = [10, 10, 10];
  const inside = Uint8Array.from({ length: 1000 }, (_, at) => (at % 10 > 2 && at % 10 < 7 ? 1 : 0));
  const fine = {
    shape: [20, 20, 20] as Shape3,
    affine: [0.5, 0, 0, -0.25, 0, 0.5, 0, -0.25, 0, 0, 0.5, -0.25, 0, 0, 0, 1],
  };
  const mask = await resampleMask({ shape, affine: IDENTITY, data: inside }, fine);
  expect(mask.data.reduce((a, b) => a + b, 0) / 8).toBe(400);
  const labels = await resampleLabels(
    { shape, affine: IDENTITY, data: Uint16Array.from(inside, (v) => v * 9001) },
    fine,
  );
  expect(new Set(labels.data)).toEqual(new Set([0, 9001]));
  expect(labels.data.filter((v) => v > 0).length / 8).toBe(400);
});
