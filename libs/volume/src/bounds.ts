import { applyAffine } from './affine.ts';
import type { Affine, Shape3, Vec3 } from './volume.ts';

/** An axis-aligned box in RAS mm. */
export interface Bounds {
  readonly min: Vec3;
  readonly max: Vec3;
}

/**
 * The box around an image in RAS mm: around the voxel centres, or with `edges` around the voxels themselves (half a voxel
 * more on each side).
 */
export function worldBounds(
  image: { readonly shape: Shape3; readonly affine: Affine },
  { edges = false }: { readonly edges?: boolean } = {},
): Bounds {
  const margin = edges ? 0.5 : 0;
  const [nx, ny, nz] = image.shape;
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const i of [-margin, nx - 1 + margin]) {
    for (const j of [-margin, ny - 1 + margin]) {
      for (const k of [-margin, nz - 1 + margin]) {
        const p = applyAffine(image.affine, [i, j, k]);
        for (let axis = 0; axis < 3; axis++) {
          min[axis] = Math.min(min[axis], p[axis]);
          max[axis] = Math.max(max[axis], p[axis]);
        }
      }
    }
  }
  return { min, max };
}
