import { type Grid, gridAtSpacing, type MaskVolume, type Vec3, voxelSize } from '@engram/volume';

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
  const box = mask && boxOf(mask);
  if (!box) return grid;
  // The box in voxels of the working grid, whose outer edges coincide with the fixed grid's at index 0.
  const scale = size.map((mm, k) => mm / voxelSize(grid.affine)[k]);
  const margin = Math.ceil(marginMm / side);
  const low = (k: 0 | 1 | 2) => Math.max(0, Math.floor(box.low[k] * scale[k]) - margin);
  const high = (k: 0 | 1 | 2) => Math.min(grid.shape[k], Math.ceil((box.high[k] + 1) * scale[k]) + margin);
  const start: Vec3 = [low(0), low(1), low(2)];
  return cropped(grid, start, [high(0) - start[0], high(1) - start[1], high(2) - start[2]]);
}

function cropped({ affine: a }: Grid, [i, j, k]: Vec3, shape: Grid['shape']): Grid {
  const shift = (row: number) => a[row] * i + a[row + 1] * j + a[row + 2] * k + a[row + 3];
  return {
    shape,
    affine: [a[0], a[1], a[2], shift(0), a[4], a[5], a[6], shift(4), a[8], a[9], a[10], shift(8), 0, 0, 0, 1],
  };
}

/** First and last voxel of the mask along each axis; null when it is empty. */
function boxOf({ shape: [nx, ny, nz], data }: MaskVolume): { low: Vec3; high: Vec3 } | null {
  const low: [number, number, number] = [nx, ny, nz];
  const high: [number, number, number] = [-1, -1, -1];
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        if (data[i] === 0) continue;
        low[0] = Math.min(low[0], x);
        low[1] = Math.min(low[1], y);
        low[2] = Math.min(low[2], z);
        high[0] = Math.max(high[0], x);
        high[1] = Math.max(high[1], y);
        high[2] = Math.max(high[2], z);
      }
  return high[0] < 0 ? null : { low, high };
}
