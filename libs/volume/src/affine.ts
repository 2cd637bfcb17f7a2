/** Affines: 4x4 row-major, 16 numbers, the last row 0 0 0 1; and their 3x3 linear parts. */
import { EngramError } from '@engram/errors';
import type { Affine, Vec3 } from './volume.ts';

/** 3x3 row-major. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

export const IDENTITY: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** `a` after `b`: multiplyAffines(a, b) applied to p is a(b(p)). */
export function multiplyAffines(a: Affine, b: Affine): Affine {
  const out = new Array<number>(16);
  for (let row = 0; row < 4; row++)
    for (let column = 0; column < 4; column++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[row * 4 + k] * b[k * 4 + column];
      out[row * 4 + column] = sum;
    }
  return out;
}

/** A point. */
export function applyAffine(m: Affine, [x, y, z]: Vec3): Vec3 {
  return [
    m[0] * x + m[1] * y + m[2] * z + m[3],
    m[4] * x + m[5] * y + m[6] * z + m[7],
    m[8] * x + m[9] * y + m[10] * z + m[11],
  ];
}

/** A direction or displacement: no translation. */
export function applyLinear(m: Affine, [x, y, z]: Vec3): Vec3 {
  return [m[0] * x + m[1] * y + m[2] * z, m[4] * x + m[5] * y + m[6] * z, m[8] * x + m[9] * y + m[10] * z];
}

export function linearPart(m: Affine): Matrix3 {
  return [m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]];
}

export function translationOf(m: Affine): Vec3 {
  return [m[3], m[7], m[11]];
}

export function affineOf(m: Matrix3, t: Vec3): Affine {
  return [m[0], m[1], m[2], t[0], m[3], m[4], m[5], t[1], m[6], m[7], m[8], t[2], 0, 0, 0, 1];
}

/** a * b: applies b first. */
export function multiply3(a: Matrix3, b: Matrix3): Matrix3 {
  const at = (row: number, column: number) =>
    a[row * 3] * b[column] + a[row * 3 + 1] * b[3 + column] + a[row * 3 + 2] * b[6 + column];
  return [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 1), at(1, 2), at(2, 0), at(2, 1), at(2, 2)];
}

export function transpose3(m: Matrix3): Matrix3 {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
}

export function determinant3(m: Matrix3): number {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
}

/** Of the linear part; its absolute value is the voxel's volume in mm³. */
export function determinant(m: Affine): number {
  return determinant3(linearPart(m));
}

/** @throws IMAGE_GEOMETRY when the matrix is singular. */
export function invert3(m: Matrix3): Matrix3 {
  const det = determinant3(m);
  // Relative to the column lengths: micrometre voxels and slices a hundred times their pixels are as invertible as cubes.
  const scale = Math.hypot(m[0], m[3], m[6]) * Math.hypot(m[1], m[4], m[7]) * Math.hypot(m[2], m[5], m[8]);
  if (!Number.isFinite(det) || !(Math.abs(det) > 1e-9 * scale)) {
    throw new EngramError('IMAGE_GEOMETRY', 'The affine is singular: it cannot be inverted', { field: 'affine' });
  }
  const cofactor = (a: number, b: number, c: number, d: number) => (m[a] * m[d] - m[b] * m[c]) / det;
  return [
    cofactor(4, 5, 7, 8),
    cofactor(2, 1, 8, 7),
    cofactor(1, 2, 4, 5),
    cofactor(5, 3, 8, 6),
    cofactor(0, 2, 6, 8),
    cofactor(2, 0, 5, 3),
    cofactor(3, 4, 6, 7),
    cofactor(1, 0, 7, 6),
    cofactor(0, 1, 3, 4),
  ];
}

/** @throws IMAGE_GEOMETRY when the affine is singular. */
export function invertAffine(m: Affine): Affine {
  const r = invert3(linearPart(m));
  const [x, y, z] = translationOf(m);
  return affineOf(r, [
    -(r[0] * x + r[1] * y + r[2] * z),
    -(r[3] * x + r[4] * y + r[5] * z),
    -(r[6] * x + r[7] * y + r[8] * z),
  ]);
}
