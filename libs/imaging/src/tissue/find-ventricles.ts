/**
 * The ventricles among the cerebrospinal fluid of a segmented brain: fluid that hangs together deep inside, parted from
 * the fluid of the surface where the channel between them is narrowest (a watershed on thickness; Meyer 1994).
 */
import { EngramError } from '@engram/errors';
import {
  type MaskVolume,
  maskWhere,
  type Shape3,
  sameGrid,
  type Vec3,
  type Volume,
  voxelSize,
  voxelVolume,
} from '@engram/volume';
import { distanceMap } from '../brain/distance-map.ts';
import { boxOf, cropInto, uncropInto } from '../crop.ts';
import { flood } from './flood.ts';

export interface VentricleOptions {
  /** Where ventricles are expected (the template's, carried over). Given, fluid inside it is the seed, whatever its depth. */
  readonly region?: MaskVolume;
  /** Where fluid is expected that is no ventricle: cisterns and fissures reach as deep as the third ventricle does. */
  readonly elsewhere?: MaskVolume;
}

export interface Ventricles {
  readonly mask: MaskVolume;
  /** Sum of the CSF shares over the mask and the partial-volume rim around it, times the voxel volume: mm^3. */
  readonly volume: number;
}

const closingMillimetres = 10;

/**
 * Finds the ventricles (lateral, third, fourth) from the CSF shares inside a brain mask without holes.
 *
 * @throws MASK_GRID_MISMATCH when mask, region and CSF do not share one grid.
 */
export function findVentricles(csf: Volume, brainMask: MaskVolume, options: VentricleOptions = {}): Ventricles {
  const { region, elsewhere } = options;
  if ([brainMask, region, elsewhere].some((mask) => mask !== undefined && !sameGrid(csf, mask))) {
    throw new EngramError('MASK_GRID_MISMATCH', 'CSF shares, brain mask and expected regions must lie on one grid');
  }
  const size = voxelSize(csf.affine);
  const empty = { shape: csf.shape, affine: csf.affine, data: new Uint8Array(csf.data.length) };
  const steps = (axis: 0 | 1 | 2) => Math.ceil((closingMillimetres + 2) / size[axis]);
  const margin = [steps(0), steps(1), steps(2)] as const;
  const box = boxOf(brainMask.data, csf.shape, margin);
  if (box === null) return { mask: empty, volume: 0 };
  const count = box.shape[0] * box.shape[1] * box.shape[2];
  const brain = cropInto(brainMask.data, csf.shape, box, new Uint8Array(count));
  const share = cropInto(csf.data, csf.shape, box, new Float32Array(count));
  const expected = region && cropInto(region.data, csf.shape, box, new Uint8Array(count));
  const other = elsewhere && cropInto(elsewhere.data, csf.shape, box, new Uint8Array(count));

  const inner = distanceMap(brain, box.shape, size, 0);
  const depth = expected === undefined ? depthBelowClosedSurface(brain, box.shape, size) : inner;
  const fluid = new Uint8Array(count);
  let deepest = 0;
  for (let i = 0; i < count; i++) {
    if (brain[i] && depth[i]! > deepest && Number.isFinite(depth[i]!)) deepest = depth[i]!;
    fluid[i] = brain[i] && share[i]! > 0.5 ? 1 : 0;
  }
  const thickness = distanceMap(fluid, box.shape, size, 0);

  const deep = 1;
  const surface = 2;
  const label = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    if (!fluid[i]) continue;
    if (expected === undefined) {
      // By depth alone: all that is deep is a seed, and the floor of the third ventricle must not count as surface.
      if (depth[i]! >= 0.4 * deepest) label[i] = deep;
      else if (depth[i]! < (inner[i]! <= 2.5 ? 0.3 : 0.15) * deepest) label[i] = surface;
    } else if (expected[i] === 1) label[i] = deep;
    else if (inner[i]! <= 3 || other?.[i] === 1) label[i] = surface;
  }
  flood(label, fluid, thickness, box.shape);
  const found = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    // Fluid cut off from both by noise: a horn when deep, a sulcus when not.
    if (fluid[i] && (label[i] === deep || (label[i] === 0 && expected === undefined && depth[i]! >= 0.35 * deepest)))
      found[i] = 1;
  }

  const [nx, ny, nz] = box.shape;
  let sum = 0;
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        const rim =
          !fluid[i] &&
          brain[i] === 1 &&
          ((x > 0 && found[i - 1]) ||
            (x < nx - 1 && found[i + 1]) ||
            (y > 0 && found[i - nx]) ||
            (y < ny - 1 && found[i + nx]) ||
            (z > 0 && found[i - nx * ny]) ||
            (z < nz - 1 && found[i + nx * ny]));
        if (found[i] || rim) sum += share[i]!;
      }
    }
  }
  return {
    mask: { ...empty, data: uncropInto(found, box, csf.shape, empty.data) },
    volume: sum * voxelVolume(csf.affine),
  };
}

/** Depth counts from the closed surface: sulci and fissures are surface, however deep they cut. mm. */
function depthBelowClosedSurface(brain: Uint8Array, shape: Shape3, size: Vec3): Float32Array {
  const grown = maskWhere(distanceMap(brain, shape, size, 1), (d) => d <= closingMillimetres);
  return distanceMap(grown, shape, size, 0).map((d) => Math.max(d - closingMillimetres, 0));
}
