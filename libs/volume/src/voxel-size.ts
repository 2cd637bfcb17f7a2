import { determinant } from './affine.ts';
import type { Affine, Vec3 } from './volume.ts';

/** Edge lengths of a voxel in mm along i, j, k: the lengths of the affine's columns. */
export function voxelSize(a: Affine): Vec3 {
  return [Math.hypot(a[0], a[4], a[8]), Math.hypot(a[1], a[5], a[9]), Math.hypot(a[2], a[6], a[10])];
}

/** Volume of one voxel in mm³, sheared voxels included. */
export function voxelVolume(a: Affine): number {
  return Math.abs(determinant(a));
}
