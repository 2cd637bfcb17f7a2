/** The static PET brought into register with the T1 of the same head. */
import {
  type Affine,
  applyAffine,
  gridOf,
  IDENTITY,
  invertAffine,
  type MaskVolume,
  multiplyAffines,
  type Volume,
} from '@engram/volume';
import { boxAround, uncropInto } from '../crop.ts';
import { judgePose } from '../linear/judge-pose.ts';
import { registerRigid } from '../linear/register-linear.ts';
import { insideMask } from '../linear/similarity.ts';
import { isInside } from '../resample-plain.ts';

export interface AlignOptions {
  /** T1 RAS mm → PET RAS mm, where it is roughly known. */
  readonly initial?: Affine;
  /** `header`: the images' own world coordinates (or `initial`) are kept as they are and only judged. Default `search`. */
  readonly pose?: 'search' | 'header';
  readonly seed?: number;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface PetAlignment {
  /** T1 RAS mm → PET RAS mm. */
  readonly matrix: Affine;
  readonly quality: {
    /** Mutual information, nats, and on a scale of 0 to 1. */
    readonly mutualInformation: number;
    readonly normalised: number;
    /** Share of the brain mask inside the PET's field of view. */
    readonly brainCoverage: number;
    readonly converged: boolean;
  };
}

/** Around the brain, mm: skull and scalp hold a rigid fit; face and neck, which move on their own, are left out. */
const MARGIN_MM = 20;
/** Voxels of the search, in which the T1 is the fixed image and its box is known. */
const COARSE_MM = 4;
/** Points of the refinement, in which the PET is. */
const FINE_SAMPLES = 300_000;

/**
 * Rigid registration by mutual information over the brain's box. The whole box and not the brain alone: the edge of the
 * head against air fixes the fit better than cortex alone (docs/algorithms/pet.md). Searched with the T1 as the fixed image, refined with the PET as the fixed
 * image: a window over the sharp image's values is biased less than one over the blurred image's.
 *
 * @param t1 bias-corrected. @param brain on any grid in the T1's space.
 * @throws as `registerLinear`.
 */
export async function alignPetToT1(
  pet: Volume,
  t1: Volume,
  brain: MaskVolume,
  options: AlignOptions = {},
): Promise<PetAlignment> {
  const { onProgress, initial, pose = 'search', ...rest } = options;
  const box = brainBox(brain);
  if (pose === 'header') {
    const matrix = initial ?? IDENTITY;
    const { seed } = options;
    const toT1 = invertAffine(matrix);
    const seen = judgePose(pet, t1, toT1, {
      fixedMask: maskOnto(box, pet, toT1),
      samples: FINE_SAMPLES,
      ...(seed === undefined ? {} : { seed }),
    });
    onProgress?.(1);
    return {
      matrix,
      quality: {
        mutualInformation: seen.value,
        normalised: seen.normalised,
        brainCoverage: coverageOf(brain, pet, matrix),
        converged: true,
      },
    };
  }
  const coarse = await registerRigid(t1, pet, {
    ...rest,
    fixedMask: box,
    finest: COARSE_MM,
    ...(initial === undefined ? {} : { initial }),
    onProgress: (fraction) => onProgress?.(fraction / 2),
  });
  const toT1 = invertAffine(coarse.matrix);
  const back = await registerRigid(pet, t1, {
    ...rest,
    initial: toT1,
    fixedMask: maskOnto(box, pet, toT1),
    samples: FINE_SAMPLES,
    onProgress: (fraction) => onProgress?.((1 + fraction) / 2),
  });
  const found = { ...back, matrix: invertAffine(back.matrix) };
  return {
    matrix: found.matrix,
    quality: {
      mutualInformation: found.metric,
      normalised: found.quality,
      brainCoverage: coverageOf(brain, pet, found.matrix),
      converged: found.converged,
    },
  };
}

/** The smallest box along the voxel axes that holds the mask, with a margin. */
function brainBox(brain: MaskVolume): MaskVolume {
  const box = boxAround(brain, MARGIN_MM);
  const inside = new Uint8Array(box.shape[0] * box.shape[1] * box.shape[2]).fill(1);
  return { ...gridOf(brain), data: uncropInto(inside, box, brain.shape, new Uint8Array(brain.data.length)) };
}

/** Share of the mask's voxels that land inside the PET's field of view. */
function coverageOf(brain: MaskVolume, pet: Volume, matrix: Affine): number {
  const m = multiplyAffines(invertAffine(pet.affine), multiplyAffines(matrix, brain.affine));
  const [nx, ny] = brain.shape;
  let voxels = 0;
  let seen = 0;
  for (let at = 0; at < brain.data.length; at++) {
    if (brain.data[at] === 0) continue;
    voxels++;
    const [x, y, z] = applyAffine(m, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]);
    if (isInside(pet.shape, x, y, z)) seen++;
  }
  return voxels === 0 ? 0 : seen / voxels;
}

/** The mask on the image's grid, by the nearest voxel; `matrix` takes RAS mm of the image to those of the mask. */
function maskOnto(mask: MaskVolume, image: Volume, matrix: Affine): MaskVolume {
  const inside = insideMask(mask);
  const m = multiplyAffines(matrix, image.affine);
  const [nx, ny, nz] = image.shape;
  const data = new Uint8Array(nx * ny * nz);
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, at++) data[at] = inside(m, i, j, k) ? 1 : 0;
  return { ...gridOf(image), data };
}
