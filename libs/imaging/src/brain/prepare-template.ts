/**
 * What brain extraction knows about brains in general, derived once from a template image and its rough brain mask: a tight
 * mask, the distance from its surface, its ventricles and the grid to work on.
 */
import { EngramError } from '@engram/errors';
import {
  applyAffine,
  type Grid,
  invertAffine,
  type MaskVolume,
  sameGrid,
  type Vec3,
  type Volume,
  voxelSize,
} from '@engram/volume';
import { fillHoles } from '../morphology/fill-holes.ts';
import { largestComponent } from '../morphology/largest-component.ts';
import { segmentTissue } from '../tissue/segment-tissue.ts';
import { addVentricles } from './carve-brain.ts';
import { distanceMap } from './distance-map.ts';

export interface BrainTemplate {
  /** The whole head. */
  readonly t1: Volume;
  /** Brain with ventricles, without the fluid around it. */
  readonly brain: MaskVolume;
  /** Distance to the brain's surface in template mm, negative inside. */
  readonly distance: Volume;
  readonly ventricles: MaskVolume;
  /** The rough mask it was made from, which holds the fluid around the brain: where registration looks. */
  readonly surroundings: MaskVolume;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal;
}

/** Inside the lateral (body, horns), third and fourth ventricles of a brain in MNI space (Colin27, MNI152), RAS mm. */
const ventriclePoints: readonly Vec3[] = [
  [-8, 10, 14],
  [8, 10, 14],
  [-14, -20, 20],
  [14, -20, 20],
  [-24, -42, 10],
  [24, -42, 10],
  [0, -14, 4],
  [0, -44, -32],
];

/**
 * Tightens a rough mask (such as Colin27's `ch2bet`, which keeps the fluid of the surface) by tissue segmentation: grey and
 * white matter and ventricles stay.
 *
 * @param t1 whole head in MNI space. @param rough brain mask on the same grid.
 * @throws MASK_GRID_MISMATCH when the two lie on different grids; TISSUE_NOT_SEPARABLE when the image is no T1.
 */
export async function prepareTemplate(
  t1: Volume,
  rough: MaskVolume,
  { signal }: PrepareOptions = {},
): Promise<BrainTemplate> {
  if (!sameGrid(t1, rough))
    throw new EngramError('MASK_GRID_MISMATCH', 'Template image and mask lie on different grids');
  const surroundings = fillHoles({ ...rough, data: rough.data.map((v) => (v > 0 ? 1 : 0)) });
  const { csf } = await segmentTissue(t1, surroundings, signal === undefined ? {} : { signal });
  const tissue = largestComponent(
    { ...surroundings, data: surroundings.data.map((v, i) => (v > 0 && csf.data[i] < 0.5 ? 1 : 0)) },
    6,
  );
  const found = addVentricles(tissue, (i) => csf.data[i] > 0.5, around(t1, ventriclePoints, 4)).ventricles;
  // The cisterns behind the third ventricle are as deep and nearly as thick: away from the points nothing is sure.
  const near = around(t1, ventriclePoints, 16);
  const ventricles = { ...found, data: found.data.map((v, i) => v & near[i]) };
  const brain = fillHoles({ ...tissue, data: tissue.data.map((v, i) => v | ventricles.data[i]) });
  return { t1, brain, distance: signedDistance(brain), ventricles, surroundings };
}

/** 1 within `radius` mm of any of the points. */
function around(grid: Grid, points: readonly Vec3[], radius: number): Uint8Array {
  const [nx, ny, nz] = grid.shape;
  const data = new Uint8Array(nx * ny * nz);
  const toVoxel = invertAffine(grid.affine);
  const size = voxelSize(grid.affine);
  for (const p of points) {
    const middle = applyAffine(toVoxel, p);
    const range = (axis: 0 | 1 | 2) => {
      const steps = radius / size[axis];
      return [
        Math.max(Math.ceil(middle[axis] - steps), 0),
        Math.min(middle[axis] + steps, grid.shape[axis] - 1),
      ] as const;
    };
    const [[x0, x1], [y0, y1], [z0, z1]] = [range(0), range(1), range(2)];
    for (let k = z0; k <= z1; k++)
      for (let j = y0; j <= y1; j++)
        for (let i = x0; i <= x1; i++) {
          const [x, y, z] = applyAffine(grid.affine, [i, j, k]);
          if (Math.hypot(x - p[0], y - p[1], z - p[2]) <= radius) data[(k * ny + j) * nx + i] = 1;
        }
  }
  return data;
}

/** Distance to the surface of a mask in mm, negative inside; the surface lies half a voxel off the outermost centres. */
export function signedDistance(mask: MaskVolume): Volume {
  const size = voxelSize(mask.affine);
  const half = Math.min(...size) / 2;
  const outside = distanceMap(mask.data, mask.shape, size, 1);
  const inside = distanceMap(mask.data, mask.shape, size, 0);
  const data = outside.map((d, i) => (d > 0 ? d - half : half - inside[i]));
  return { shape: mask.shape, frames: 1, affine: mask.affine, data };
}
