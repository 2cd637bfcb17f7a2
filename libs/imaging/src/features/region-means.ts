import type { LabelVolume, MaskVolume, Volume } from '@engram/volume';
import { checkGrids, type RegionOfLabels, refuseEmpty, regionTable } from './region-volumes.ts';

export interface RegionMeans {
  /** Mean of the image over each region, in the image's unit. */
  readonly means: readonly number[];
  /** Share of each region's voxels that `within` covers. */
  readonly coverage: readonly number[];
}

/**
 * Mean of an image over each region, such as SUVR.
 * @param within voxels the image was measured in (PET's field of view); all by default.
 * @throws MASK_GRID_MISMATCH; REGION_EMPTY where a region has no measured voxel: a mean of nothing is never made up.
 */
export function regionMeans(
  image: Volume,
  atlas: LabelVolume,
  regions: readonly RegionOfLabels[],
  within?: MaskVolume,
): RegionMeans {
  checkGrids(image, atlas);
  const table = regionTable(regions);
  const sums = new Float64Array(regions.length);
  const voxels = new Uint32Array(regions.length);
  const all = new Uint32Array(regions.length);
  for (let at = 0; at < atlas.data.length; at++) {
    const region = table[atlas.data[at]];
    if (region < 0) continue;
    all[region]++;
    if (within && within.data[at] === 0) continue;
    sums[region] += image.data[at];
    voxels[region]++;
  }
  refuseEmpty(voxels, regions, 'the PET');
  return {
    means: Array.from(sums, (sum, region) => sum / voxels[region]),
    coverage: Array.from(voxels, (count, region) => count / all[region]),
  };
}
