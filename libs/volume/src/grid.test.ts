import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Affine,
  affineOf,
  applyAffine,
  axesOfCode,
  flipLps,
  flipLpsGrid,
  flipLpsTransform,
  gridAtSpacing,
  invertAffine,
  matrixToQuaternion,
  orientationOf,
  quaternionToMatrix,
  reorient,
  type Shape3,
  sameGrid,
  shear,
  voxelSize,
  worldBounds,
} from './index.ts';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const affines = fc
  .tuple(number(-1, 1), number(-1, 1), number(-1, 1), number(0.3, 4), number(0.3, 4), number(0.3, 4), fc.boolean())
  .filter(([b, c, d]) => b * b + c * c + d * d <= 1)
  .map(([b, c, d, x, y, z, flip]): Affine => {
    const r = quaternionToMatrix({ b, c, d });
    const s = flip ? -z : z;
    return affineOf(
      [r[0] * x, r[1] * y, r[2] * s, r[3] * x, r[4] * y, r[5] * s, r[6] * x, r[7] * y, r[8] * s],
      [x * 10, -y * 20, z * 5],
    );
  });

test('any affine of rotation, spacing and flip: reorienting keeps each voxel at its place, and comes back', () => {
  fc.assert(
    fc.property(affines, (affine) => {
      const shape: Shape3 = [2, 3, 4];
      // Each voxel holds its own world x, so a wrong place shows as a wrong value.
      const data = new Float32Array(24);
      for (let k = 0, n = 0; k < 4; k++)
        for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) data[n++] = applyAffine(affine, [i, j, k])[0];
      const volume = { shape, frames: 1, affine, data };
      const ras = reorient(volume);
      expect(orientationOf(ras.affine)).toBe('RAS');
      for (let k = 0, n = 0; k < ras.shape[2]; k++)
        for (let j = 0; j < ras.shape[1]; j++)
          for (let i = 0; i < ras.shape[0]; i++)
            expect(Math.abs(ras.data[n++] - applyAffine(ras.affine, [i, j, k])[0])).toBeLessThan(1e-3);
      expect(reorient(ras, orientationOf(affine)).data).toEqual(data);
    }),
  );
});

test('quaternion and matrix give each other back', () => {
  fc.assert(
    fc.property(affines, (affine) => {
      const q = matrixToQuaternion(quaternionToMatrix({ b: affine[3] / 99, c: affine[7] / 99, d: affine[11] / 99 }));
      expect(q.b).toBeCloseTo(affine[3] / 99, 9);
      expect(q.c).toBeCloseTo(affine[7] / 99, 9);
      expect(q.d).toBeCloseTo(affine[11] / 99, 9);
    }),
  );
});

test('every frame of a 4D image is reoriented, and labels stay integers', () => {
  const affine = [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const pet = reorient({ shape: [2, 1, 1], frames: 2, affine, data: Float32Array.of(1, 2, 3, 4) });
  expect([...pet.data]).toEqual([2, 1, 4, 3]);
  const labels = reorient({ shape: [2, 1, 1], affine, data: Uint16Array.of(40000, 2) });
  expect(labels.data).toEqual(Uint16Array.of(2, 40000));
});

test('a grid at another spacing keeps the outer edges', () => {
  const grid = { shape: [10, 12, 8] as const, affine: [0, 0, 2, 5, -1, 0, 0, 6, 0, 1.5, 0, 7, 0, 0, 0, 1] };
  const fine = gridAtSpacing(grid, [0.5, 0.75, 1]);
  expect(fine.shape).toEqual([20, 24, 16]);
  expect(voxelSize(fine.affine)).toEqual([0.5, 0.75, 1]);
  const [a, b] = [worldBounds(grid, { edges: true }), worldBounds(fine, { edges: true })];
  for (let k = 0; k < 3; k++) {
    expect(b.min[k]).toBeCloseTo(a.min[k], 9);
    expect(b.max[k]).toBeCloseTo(a.max[k], 9);
  }
});

test('grids are the same up to a thousandth of a millimetre at the far corner', () => {
  const grid = { shape: [200, 200, 200] as const, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
  const scaled = (s: number) => ({ ...grid, affine: [s, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] });
  expect(sameGrid(grid, scaled(1 + 1e-6))).toBe(true);
  expect(sameGrid(grid, scaled(1 + 1e-4))).toBe(false);
  expect(sameGrid(grid, { ...grid, shape: [200, 200, 199] })).toBe(false);
  expect(sameGrid(grid, scaled(Number.NaN))).toBe(false);
});

test('a singular or impossible geometry is refused with its code', () => {
  const flat = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  expect(() => invertAffine(flat)).toThrow(expect.objectContaining({ code: 'IMAGE_GEOMETRY' }));
  expect(() => orientationOf(flat)).toThrow(expect.objectContaining({ code: 'IMAGE_GEOMETRY' }));
  expect(() => orientationOf(new Array(16).fill(0))).toThrow(expect.objectContaining({ code: 'IMAGE_GEOMETRY' }));
  expect(() => invertAffine(new Array(16).fill(Number.NaN))).toThrow(
    expect.objectContaining({ code: 'IMAGE_GEOMETRY' }),
  );
  for (const code of ['RAR', 'RA', 'XYZ', 'RASS']) {
    expect(() => axesOfCode(code)).toThrow(expect.objectContaining({ code: 'IMAGE_GEOMETRY' }));
  }
  expect(() => quaternionToMatrix({ b: 1, c: 1, d: 0 })).toThrow(expect.objectContaining({ code: 'IMAGE_GEOMETRY' }));
});

test('micrometre voxels are as invertible as metre ones', () => {
  const small = [1e-3, 0, 0, 0, 0, 1e-3, 0, 0, 0, 0, 1e-3, 0, 0, 0, 0, 1];
  expect(invertAffine(small)[0]).toBeCloseTo(1000, 6);
});

test('shear is the cosine between axes: 0 at right angles', () => {
  expect(shear([1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1])).toBe(0);
  expect(shear([1, 0, 0, 0, 0, 1, Math.tan(0.2), 0, 0, 0, 1, 0, 0, 0, 0, 1])).toBeCloseTo(Math.sin(0.2), 9);
});

test('LPS and RAS change into each other: mapping then flipping is flipping then mapping', () => {
  const t = [0.9, 0.1, -0.2, 5, 0.05, 1.1, 0.3, -6, 0.2, -0.1, 0.95, 7, 0, 0, 0, 1];
  const p = [3, -4, 5] as const;
  const direct = flipLps(applyAffine(t, p));
  const conjugate = applyAffine(flipLpsTransform(t), flipLps(p));
  const grid = applyAffine(flipLpsGrid(t), p);
  for (let k = 0; k < 3; k++) {
    expect(conjugate[k]).toBeCloseTo(direct[k], 12);
    expect(grid[k]).toBeCloseTo(direct[k], 12);
  }
  expect(flipLpsTransform(flipLpsTransform(t))).toEqual(t);
});
