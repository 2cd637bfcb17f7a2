/**
 * Image geometry: what an image is in memory, and the verbs on its affine, orientation and grid. Pure; no voxel
 * algorithms, no files.
 *
 * @example
 * const ras = reorient(volume);                        // axes to R, A, S; no resampling
 * const back = reorient(ras, orientationOf(volume.affine));
 * @module
 */
export * from './affine.ts';
export { type Bounds, worldBounds } from './bounds.ts';
export { type Grid, gridAtSpacing, gridOf, isotropicGrid, sameGrid } from './grid.ts';
export { flipLps, flipLpsGrid, flipLpsTransform } from './lps.ts';
export { maskWhere } from './mask-where.ts';
export { obliquity, shear } from './obliquity.ts';
export { type Axes, type AxisDirection, axesOf, axesOfCode, orientationOf } from './orientation.ts';
export { nearestOrthogonal } from './polar.ts';
export {
  affineToQform,
  matrixToQuaternion,
  type Qform,
  type Quaternion,
  qformToAffine,
  quaternionToMatrix,
} from './quaternion.ts';
export { reorient } from './reorient.ts';
export type * from './volume.ts';
export { voxelSize, voxelVolume } from './voxel-size.ts';
