import type { Affine, Vec3 } from './volume.ts';
import { voxelSize } from './voxel-size.ts';

/**
 * Angle in radians between each world axis (x, y, z) and the voxel axis closest to it; all zero for an axis-aligned image
 * (as nibabel's `obliquity`).
 */
export function obliquity(a: Affine): Vec3 {
  const size = voxelSize(a);
  const angle = (world: number) =>
    Math.acos(Math.min(1, Math.max(...[0, 1, 2].map((axis) => Math.abs(a[world * 4 + axis]) / size[axis]))));
  return [angle(0), angle(1), angle(2)];
}

/**
 * Largest |cosine| between two voxel axes: 0 where they are at right angles. Above about 0.02 the image is sheared, as by
 * an uncorrected gantry tilt.
 */
export function shear(a: Affine): number {
  const size = voxelSize(a);
  const cosine = (p: number, q: number) =>
    Math.abs(a[p] * a[q] + a[4 + p] * a[4 + q] + a[8 + p] * a[8 + q]) / (size[p] * size[q]);
  return Math.max(cosine(0, 1), cosine(0, 2), cosine(1, 2));
}
