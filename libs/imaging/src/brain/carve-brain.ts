/**
 * From "where a brain is expected" and "what looks like brain tissue" to the brain: an opening that grows stricter away
 * from the expected brain cuts what only hangs on to it (dura, optic nerves, vessels, muscle); the fluid of the ventricles
 * is put back (after Sandor & Leahy 1997, and the surface search of Smith 2002).
 */
import { type Grid, type MaskVolume, maskWhere, voxelSize } from '@engram/volume';
import { components } from '../morphology/components.ts';
import { fillHoles } from '../morphology/fill-holes.ts';
import { largestComponent } from '../morphology/largest-component.ts';
import { findVentricles } from '../tissue/find-ventricles.ts';
import { flood } from '../tissue/flood.ts';
import { distanceMap } from './distance-map.ts';
import type { BrainTissue } from './tissue-range.ts';

/** Radius, mm, that a piece of tissue must have to count, by its distance from the expected surface (negative inside). */
export function demandedRadius(distance: number): number {
  if (distance <= -4) return 0.8;
  if (distance <= 2) return 0.8 + (1.4 * (distance + 4)) / 6;
  return 2.2 + 0.5 * (distance - 2);
}

/** Furthest from the expected surface that brain is looked for, mm. */
const reach = 6.5;

export interface Carved {
  readonly brain: MaskVolume;
  readonly ventricles: MaskVolume;
}

/**
 * @param head intensities on the working grid, NaN outside the field of view
 * @param distance mm from the template's surface, negative inside
 * @param ventricles 1 where the template has ventricles
 * @returns the brain and the ventricles in it
 */
export function carveBrain(
  head: Float32Array,
  distance: Float32Array,
  ventricles: Uint8Array,
  grid: Grid,
  tissue: BrainTissue,
): Carved {
  const size = voxelSize(grid.affine);
  const half = Math.min(...size) / 2;
  const volume = (data: Uint8Array): MaskVolume => ({ ...grid, data });
  const solid = fillSpecks(
    volume(maskWhere(head, (v, i) => v > tissue.darkest && v < tissue.brightest && distance[i] < reach + 6)),
  );
  const own = brainSide(solid, distance, size);
  const radius = distanceMap(own.data, grid.shape, size, 0);
  const core = new Uint8Array(radius.length);
  for (let i = 0; i < core.length; i++) core[i] = radius[i] - half >= demandedRadius(distance[i]) ? 1 : 0;
  const kept = largestComponent(volume(core), 6);
  // The balls of the opening, grown back: a voxel returns when it lies within its own demanded radius of the core.
  const back = distanceMap(kept.data, grid.shape, size, 1);
  const opened = new Uint8Array(core.length);
  for (let i = 0; i < opened.length; i++) {
    opened[i] = own.data[i] === 1 && back[i] <= demandedRadius(distance[i]) + half + 0.01 ? 1 : 0;
  }
  return addVentricles(largestComponent(volume(opened), 6), (i) => head[i] < tissue.darkest, ventricles);
}

/** Of all tissue, what hangs together with the deep brain through thicker channels than with what lies far outside. */
function brainSide(solid: MaskVolume, distance: Float32Array, size: readonly [number, number, number]): MaskVolume {
  const thickness = distanceMap(solid.data, solid.shape, size, 0);
  const side = new Uint8Array(solid.data.length);
  for (let i = 0; i < side.length; i++) {
    if (solid.data[i] === 1) side[i] = distance[i] < -4 ? 1 : distance[i] > reach ? 2 : 0;
  }
  flood(side, solid.data, thickness, solid.shape);
  return { ...solid, data: side.map((s) => (s === 1 ? 1 : 0)) };
}

/** Dark specks of fewer than 12 voxels inside tissue are noise, not fluid; they would spoil every distance. */
function fillSpecks(solid: MaskVolume): MaskVolume {
  const { labels, sizes } = components({ ...solid, data: solid.data.map((v) => 1 - v) }, 6);
  return { ...solid, data: solid.data.map((v, i) => (v === 1 || sizes[labels[i] - 1] < 12 ? 1 : 0)) };
}

/** Closes the brain, finds the fluid inside that belongs to the ventricles, adds it, and fills what is then enclosed. */
export function addVentricles(brain: MaskVolume, fluid: (voxel: number) => boolean, expected: Uint8Array): Carved {
  const hull = fillHoles(closeBy(brain, 10));
  const share = new Float32Array(maskWhere(hull.data, (h, i) => h === 1 && brain.data[i] === 0 && fluid(i)));
  const region = { ...brain, data: expected };
  const ventricles = findVentricles({ ...brain, frames: 1, data: share }, hull, { region }).mask;
  const both = brain.data.map((v, i) => (v === 1 || ventricles.data[i] === 1 ? 1 : 0));
  return { brain: fillHoles({ ...brain, data: both }), ventricles };
}

function closeBy(mask: MaskVolume, radius: number): MaskVolume {
  const size = voxelSize(mask.affine);
  const grown = maskWhere(distanceMap(mask.data, mask.shape, size, 1), (d) => d <= radius);
  const data = maskWhere(distanceMap(grown, mask.shape, size, 0), (d) => d > radius);
  return { ...mask, data };
}
