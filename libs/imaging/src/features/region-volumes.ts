import { EngramError } from '@engram/errors';
import { type LabelVolume, sameGrid, type Volume, voxelVolume } from '@engram/volume';

/** A named set of label values; the order of a list of regions is the order of every feature vector. */
export interface RegionOfLabels {
  readonly name: string;
  readonly labels: readonly number[];
}

/** Index of the region of each label value; -1 where none claims it. */
export function regionTable(regions: readonly RegionOfLabels[]): Int16Array {
  const table = new Int16Array(65536).fill(-1);
  regions.forEach(({ labels }, index) => {
    for (const label of labels) table[label] = index;
  });
  return table;
}

/**
 * Grey matter of each region: Σ p(GM) × voxel volume, mm³, in native space.
 * @param gm share of grey matter per voxel, 0 to 1.
 * @param atlas label values on the same grid.
 * @throws MASK_GRID_MISMATCH; REGION_EMPTY where a region has no voxel at all, such as beyond the field of view.
 */
export function regionVolumes(gm: Volume, atlas: LabelVolume, regions: readonly RegionOfLabels[]): readonly number[] {
  checkGrids(gm, atlas);
  const table = regionTable(regions);
  const sums = new Float64Array(regions.length);
  const voxels = new Uint32Array(regions.length);
  for (let at = 0; at < atlas.data.length; at++) {
    const region = table[atlas.data[at]];
    if (region < 0) continue;
    sums[region] += gm.data[at];
    voxels[region]++;
  }
  refuseEmpty(voxels, regions, 'the T1');
  const mm3 = voxelVolume(gm.affine);
  return Array.from(sums, (sum) => sum * mm3);
}

export function checkGrids(image: Volume, atlas: LabelVolume): void {
  if (image.frames !== 1) throw new EngramError('IMAGE_NOT_3D', `Features take one frame, not ${image.frames}`);
  if (!sameGrid(image, atlas))
    throw new EngramError('MASK_GRID_MISMATCH', 'The atlas does not lie on the grid of the image');
}

export function refuseEmpty(voxels: ArrayLike<number>, regions: readonly RegionOfLabels[], image: string): void {
  const empty = regions.filter((_, index) => voxels[index] === 0).map(({ name }) => name);
  if (empty.length === 0) return;
  const named = empty.slice(0, 5).join(', ') + (empty.length > 5 ? ` and ${empty.length - 5} more` : '');
  throw new EngramError('REGION_EMPTY', `${image} shows nothing of ${named}: the field of view is incomplete`);
}
