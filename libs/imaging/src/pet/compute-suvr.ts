/** Standardised uptake value ratios. */
import { EngramError } from '@engram/errors';
import { gridOf, type MaskVolume, sameGrid, type Volume } from '@engram/volume';
import { erode } from '../morphology/erode.ts';

export interface SuvrOptions {
  /** Steps by which the reference region is eroded, against spill-in from its surroundings. Default 1. */
  readonly erodeVoxels?: number;
}

export interface SuvrResult {
  /** PET / referenceMean, voxel by voxel; where the PET is not a number (out of its view), NaN. */
  readonly suvr: Volume;
  readonly referenceMean: number;
  /** Voxels the reference mean was taken over. */
  readonly voxels: number;
  /** Share of the eroded reference region that the PET saw. */
  readonly coverage: number;
}

/** A reference region of which less was seen says little about the whole. */
const LEAST_COVERAGE = 0.5;

/**
 * Divides the PET by its mean in the reference region (whole cerebellum, as a rule).
 *
 * @param pet in the space of the reference mask, NaN beyond its field of view (`resample` with `outside: NaN`).
 * @throws IMAGE_NOT_3D for several frames; MASK_GRID_MISMATCH on different grids; SUVR_REFERENCE_EMPTY when the region is
 * empty after erosion, lies mostly outside the PET, or its mean is not positive.
 */
export function computeSuvr(pet: Volume, reference: MaskVolume, { erodeVoxels = 1 }: SuvrOptions = {}): SuvrResult {
  if (pet.frames !== 1) throw new EngramError('IMAGE_NOT_3D', `SUVR takes one frame, not ${pet.frames}`);
  if (!sameGrid(pet, reference)) {
    throw new EngramError('MASK_GRID_MISMATCH', 'PET and reference region lie on different grids');
  }
  const region = erode(reference, { connectivity: 6, iterations: erodeVoxels }).data;
  let wanted = 0;
  let voxels = 0;
  let sum = 0;
  for (let i = 0; i < region.length; i++) {
    if (region[i] === 0) continue;
    wanted++;
    if (!Number.isFinite(pet.data[i])) continue;
    voxels++;
    sum += pet.data[i];
  }
  if (wanted === 0) {
    throw new EngramError('SUVR_REFERENCE_EMPTY', `The reference region is empty after erosion by ${erodeVoxels}`);
  }
  const coverage = voxels / wanted;
  if (coverage < LEAST_COVERAGE) {
    const share = Math.round(100 * coverage);
    throw new EngramError('SUVR_REFERENCE_EMPTY', `The PET covers only ${share} % of the reference region`);
  }
  const referenceMean = sum / voxels;
  if (!(referenceMean > 0)) {
    throw new EngramError('SUVR_REFERENCE_EMPTY', 'The mean uptake in the reference region is not positive');
  }
  const data = new Float32Array(pet.data.length);
  for (let i = 0; i < data.length; i++) data[i] = pet.data[i] / referenceMean;
  const suvr: Volume = { ...gridOf(pet), frames: 1, data };
  return { suvr, referenceMean, voxels, coverage };
}
