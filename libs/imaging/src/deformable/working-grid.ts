import { type Grid, gridAtSpacing, type MaskVolume, type Shape3, type Vec3, voxelSize } from '@engram/volume';
import { boxOf, gridOfBox } from '../crop.ts';

/** So near to cubes of the working size that the image's own voxels serve. */
const SAME = 0.02;
/** Finer than this costs time and gains no accuracy that a 1 mm scan supports. */
const FINEST_MM = 1;

/**
 * Where registration works: cubic voxels along the fixed image's axes, because a window and a smoothing in voxels must
 * mean the same in every direction; the geometric mean of the voxel's sides, 1 mm or more. Cropped to the mask's box and
 * a margin: what lies outside the brain costs as much as what lies inside.
 */
export function workingGrid(fixed: Grid, mask: MaskVolume | undefined, marginMm: number): Grid {
  const size = voxelSize(fixed.affine);
  const side = Math.max(FINEST_MM, Math.cbrt(size[0] * size[1] * size[2]));
  const grid = size.every((mm) => Math.abs(mm - side) <= SAME * side) ? fixed : gridAtSpacing(fixed, side);
  const box = mask && boxOf(mask.data, mask.shape, [0, 0, 0]);
  if (!box) return grid;
  // The box in voxels of the working grid, whose outer edges coincide with the fixed grid's at index 0.
  const scale = size.map((mm, k) => mm / voxelSize(grid.affine)[k]);
  const margin = Math.ceil(marginMm / side);
  const low = (k: 0 | 1 | 2) => Math.max(0, Math.floor(box.low[k] * scale[k]) - margin);
  const high = (k: 0 | 1 | 2) => Math.min(grid.shape[k], Math.ceil((box.low[k] + box.shape[k]) * scale[k]) + margin);
  const start: Vec3 = [low(0), low(1), low(2)];
  const shape: Shape3 = [high(0) - start[0], high(1) - start[1], high(2) - start[2]];
  return gridOfBox(grid, { low: start, shape });
}
