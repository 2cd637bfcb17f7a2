// Golden values: golden/generate.py (nibabel).
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  affineToQform,
  applyAffine,
  determinant,
  invertAffine,
  isotropicGrid,
  multiplyAffines,
  obliquity,
  orientationOf,
  qformToAffine,
  reorient,
  type Shape3,
  voxelSize,
  voxelVolume,
  worldBounds,
} from './index.ts';

interface Golden {
  affine: number[];
  shape: Shape3;
  inverse: number[];
  voxelSize: number[];
  determinant: number;
  codes: string;
  obliquity: number[];
  point: number[];
  bounds: [number[], number[]];
  ras: { shape: number[]; affine: number[]; data: number[] };
  isotropic: { shape: number[]; affine: number[] };
  qform: { b: number; c: number; d: number; qfac: number; affine: number[] };
}
const cases: Golden[] = JSON.parse(readFileSync(new URL('../golden/geometry.json', import.meta.url), 'utf8'));

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [index, value] of expected.entries()) {
    expect(Math.abs(actual[index] - value), `element ${index}: ${actual[index]} against ${value}`).toBeLessThan(
      tolerance,
    );
  }
}

describe.each(cases.map((golden, index) => ({ golden, name: `${index} ${golden.codes}` })))(
  'case $name',
  ({ golden }) => {
    const data = Float32Array.from({ length: golden.shape[0] * golden.shape[1] * golden.shape[2] }, (_, i) => i);
    const volume = { shape: golden.shape, frames: 1, affine: golden.affine, data };

    test('inverse, determinant, voxel size and mapped point are nibabel’s', () => {
      expectClose(invertAffine(golden.affine), golden.inverse, 1e-9);
      expectClose(
        multiplyAffines(golden.affine, golden.inverse),
        [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
        1e-9,
      );
      expectClose(voxelSize(golden.affine), golden.voxelSize, 1e-12);
      expect(determinant(golden.affine)).toBeCloseTo(golden.determinant, 9);
      expect(voxelVolume(golden.affine)).toBeCloseTo(Math.abs(golden.determinant), 9);
      expectClose(applyAffine(golden.affine, [1.5, -2, 3]), golden.point, 1e-9);
    });

    test('orientation codes, obliquity and bounds are nibabel’s', () => {
      expect(orientationOf(golden.affine)).toBe(golden.codes);
      expectClose(obliquity(golden.affine), golden.obliquity, 1e-6);
      const { min, max } = worldBounds(volume);
      expectClose(min, golden.bounds[0], 1e-9);
      expectClose(max, golden.bounds[1], 1e-9);
    });

    test('the canonical image is nibabel’s, voxel for voxel, and the way back gives the original', () => {
      const ras = reorient(volume);
      expect(ras.shape).toEqual(golden.ras.shape);
      expectClose(ras.affine, golden.ras.affine, 1e-9);
      expect([...ras.data]).toEqual(golden.ras.data);
      expect(orientationOf(ras.affine)).toBe('RAS');
      const back = reorient(ras, golden.codes);
      expect([...back.data]).toEqual([...data]);
      expectClose(back.affine, golden.affine, 1e-9);
    });

    test('the isotropic RAS grid is nibabel’s', () => {
      const grid = isotropicGrid(volume, 1.5);
      expect(grid.shape).toEqual(golden.isotropic.shape);
      expectClose(grid.affine, golden.isotropic.affine, 1e-9);
    });

    test('the qform is nibabel’s to float32, and gives its affine back', () => {
      const q = affineToQform(golden.affine);
      expect(q.qfac).toBe(golden.qform.qfac);
      // A rotation by 180 degrees has two quaternions: compare what they mean.
      expectClose(qformToAffine(q), golden.qform.affine, 2e-4);
      const { b, c, d } = golden.qform;
      expectClose(qformToAffine({ ...q, b, c, d }), golden.qform.affine, 2e-4);
    });
  },
);
