/**
 * NIfTI's qform: a unit quaternion (a, b, c, d) with a ≥ 0 kept as b, c, d; the sign of the third axis is in qfac
 * (pixdim[0]). Equations: nifti1.h, "QUATERNION REPRESENTATION OF ROTATION MATRIX".
 */
import { EngramError } from '@engram/errors';
import { affineOf, determinant3, linearPart, type Matrix3, translationOf } from './affine.ts';
import { nearestOrthogonal } from './polar.ts';
import type { Affine, Vec3 } from './volume.ts';
import { voxelSize } from './voxel-size.ts';

export interface Quaternion {
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

export interface Qform extends Quaternion {
  /** 1, or -1 where the axes are left-handed. */
  readonly qfac: 1 | -1;
  /** mm along i, j, k. */
  readonly spacing: Vec3;
  readonly offset: Vec3;
}

/** b, c, d are stored as float32: for a rotation by 180 degrees a² comes out this far from zero (nibabel's threshold). */
const ROUNDING = 3 * 2 ** -23;

/** Rotation matrix of (b, c, d). @throws IMAGE_GEOMETRY when b² + c² + d² exceeds 1. */
export function quaternionToMatrix({ b, c, d }: Quaternion): Matrix3 {
  const square = 1 - (b * b + c * c + d * d);
  if (!(square > -ROUNDING)) {
    throw new EngramError('IMAGE_GEOMETRY', 'The qform quaternion is longer than 1', { field: 'quatern_b' });
  }
  const a = square < ROUNDING ? 0 : Math.sqrt(square);
  return rotation(a, b, c, d);
}

function rotation(a: number, b: number, c: number, d: number): Matrix3 {
  const n = a * a + b * b + c * c + d * d;
  const s = 2 / n;
  return [
    1 - s * (c * c + d * d),
    s * (b * c - a * d),
    s * (b * d + a * c),
    s * (b * c + a * d),
    1 - s * (b * b + d * d),
    s * (c * d - a * b),
    s * (b * d - a * c),
    s * (c * d + a * b),
    1 - s * (b * b + c * c),
  ];
}

/** Quaternion of a rotation matrix, by the branch whose divisor is largest (Shepperd 1978). */
export function matrixToQuaternion(m: Matrix3): Quaternion {
  const trace = m[0] + m[4] + m[8];
  let a: number;
  let b: number;
  let c: number;
  let d: number;
  if (trace >= m[0] && trace >= m[4] && trace >= m[8]) {
    a = Math.sqrt(Math.max(0, 1 + trace)) / 2;
    [b, c, d] = [(m[7] - m[5]) / (4 * a), (m[2] - m[6]) / (4 * a), (m[3] - m[1]) / (4 * a)];
  } else if (m[0] >= m[4] && m[0] >= m[8]) {
    b = Math.sqrt(Math.max(0, 1 + m[0] - m[4] - m[8])) / 2;
    [a, c, d] = [(m[7] - m[5]) / (4 * b), (m[1] + m[3]) / (4 * b), (m[2] + m[6]) / (4 * b)];
  } else if (m[4] >= m[8]) {
    c = Math.sqrt(Math.max(0, 1 - m[0] + m[4] - m[8])) / 2;
    [a, b, d] = [(m[2] - m[6]) / (4 * c), (m[1] + m[3]) / (4 * c), (m[5] + m[7]) / (4 * c)];
  } else {
    d = Math.sqrt(Math.max(0, 1 - m[0] - m[4] + m[8])) / 2;
    [a, b, c] = [(m[3] - m[1]) / (4 * d), (m[2] + m[6]) / (4 * d), (m[5] + m[7]) / (4 * d)];
  }
  const sign = a < 0 ? -1 : 1;
  return { b: sign * b, c: sign * c, d: sign * d };
}

/** Voxel to RAS mm. @throws IMAGE_GEOMETRY when the quaternion is longer than 1. */
export function qformToAffine(q: Qform): Affine {
  const r = quaternionToMatrix(q);
  const [sx, sy] = q.spacing;
  const sz = q.spacing[2] * q.qfac;
  return affineOf(
    [r[0] * sx, r[1] * sy, r[2] * sz, r[3] * sx, r[4] * sy, r[5] * sz, r[6] * sx, r[7] * sy, r[8] * sz],
    q.offset,
  );
}

/**
 * The qform closest to an affine. Shears are lost: a qform holds a rotation, spacings and an offset only.
 * @throws IMAGE_GEOMETRY when the affine is singular.
 */
export function affineToQform(a: Affine): Qform {
  const spacing = voxelSize(a);
  const [sx, sy, sz] = spacing;
  const m = linearPart(a);
  const unit: Matrix3 = [
    m[0] / sx,
    m[1] / sy,
    m[2] / sz,
    m[3] / sx,
    m[4] / sy,
    m[5] / sz,
    m[6] / sx,
    m[7] / sy,
    m[8] / sz,
  ];
  const qfac = determinant3(unit) > 0 ? 1 : -1;
  const proper: Matrix3 = [
    unit[0],
    unit[1],
    unit[2] * qfac,
    unit[3],
    unit[4],
    unit[5] * qfac,
    unit[6],
    unit[7],
    unit[8] * qfac,
  ];
  return { ...matrixToQuaternion(nearestOrthogonal(proper)), qfac, spacing, offset: translationOf(a) };
}
