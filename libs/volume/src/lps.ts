/**
 * DICOM and ITK count world axes to the left, posterior and superior (LPS); NIfTI and Engram to the right, anterior and
 * superior (RAS). Both changes are their own inverse.
 */
import type { Affine, Vec3 } from './volume.ts';

/** A point or displacement, from LPS to RAS or back. */
export function flipLps(p: Vec3): Vec3 {
  return [-p[0], -p[1], p[2]];
}

/** A voxel-to-world affine, from LPS to RAS or back: its x and y rows change sign. */
export function flipLpsGrid(a: Affine): Affine {
  return a.map((value, index) => (index < 8 ? -value : value));
}

/** A world-to-world affine (a transform), from LPS to RAS or back: D A D with D = diag(-1, -1, 1, 1). */
export function flipLpsTransform(a: Affine): Affine {
  const sign = [-1, -1, 1, 1];
  return a.map((value, index) => value * sign[Math.floor(index / 4)] * sign[index % 4]);
}
