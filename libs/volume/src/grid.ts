/** Grids: where voxels lie, without their values. */
import { applyAffine, applyLinear } from './affine.ts';
import { worldBounds } from './bounds.ts';
import type { Affine, Shape3, Vec3 } from './volume.ts';
import { voxelSize } from './voxel-size.ts';

export interface Grid {
  readonly shape: Shape3;
  /** Voxel indices to RAS mm. */
  readonly affine: Affine;
}

export function gridOf(image: Grid): Grid {
  return { shape: image.shape, affine: image.affine };
}

/**
 * The smallest grid with axes along R, A, S whose voxel centres cover those of `grid` (nibabel's `vox2out_vox`).
 * @param spacing mm: one number for cubes, or one an axis.
 */
export function isotropicGrid(grid: Grid, spacing: number | Vec3): Grid {
  const [sx, sy, sz] = typeof spacing === 'number' ? [spacing, spacing, spacing] : spacing;
  const { min, max } = worldBounds(grid);
  const count = (extent: number, step: number) => Math.ceil(extent / step) + 1;
  return {
    shape: [count(max[0] - min[0], sx), count(max[1] - min[1], sy), count(max[2] - min[2], sz)],
    affine: [sx, 0, 0, min[0], 0, sy, 0, min[1], 0, 0, sz, min[2], 0, 0, 0, 1],
  };
}

/**
 * The same field of view and axis directions at another spacing: the outer edges of the voxels, not their centres,
 * coincide at index 0, and the far edge is kept to within half a new voxel.
 */
export function gridAtSpacing(grid: Grid, spacing: number | Vec3): Grid {
  const size = voxelSize(grid.affine);
  const wanted: Vec3 = typeof spacing === 'number' ? [spacing, spacing, spacing] : spacing;
  const scale: Vec3 = [wanted[0] / size[0], wanted[1] / size[1], wanted[2] / size[2]];
  const n = (k: 0 | 1 | 2) => Math.max(1, Math.round(grid.shape[k] / scale[k]));
  const a = grid.affine;
  const origin = applyAffine(a, [(scale[0] - 1) / 2, (scale[1] - 1) / 2, (scale[2] - 1) / 2]);
  const column = (k: 0 | 1 | 2) =>
    applyLinear(a, [k === 0 ? scale[0] : 0, k === 1 ? scale[1] : 0, k === 2 ? scale[2] : 0]);
  const [x, y, z] = [column(0), column(1), column(2)];
  return {
    shape: [n(0), n(1), n(2)],
    affine: [x[0], y[0], z[0], origin[0], x[1], y[1], z[1], origin[1], x[2], y[2], z[2], origin[2], 0, 0, 0, 1],
  };
}

/** Same shape, and no voxel centre further apart than `toleranceMm` (default a thousandth of a millimetre). */
export function sameGrid(p: Grid, q: Grid, toleranceMm = 1e-3): boolean {
  if (p.shape.some((n, k) => n !== q.shape[k])) return false;
  // An affine difference is linear in the index, so its largest value lies at a corner.
  const [nx, ny, nz] = p.shape;
  for (const i of [0, nx - 1]) {
    for (const j of [0, ny - 1]) {
      for (const k of [0, nz - 1]) {
        const [a, b] = [applyAffine(p.affine, [i, j, k]), applyAffine(q.affine, [i, j, k])];
        if (!(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) <= toleranceMm)) return false;
      }
    }
  }
  return true;
}
