/** How well a given pose fits, without looking for a better one. */
import { type Affine, type MaskVolume, type Volume, voxelSize } from '@engram/volume';
import { mutualInformation } from './mutual-information.ts';
import { pyramid } from './pyramid.ts';
import { takeSamples } from './samples.ts';
import type { SimilarityValue } from './similarity.ts';

export interface JudgeOptions {
  readonly fixedMask?: MaskVolume;
  /** Points compared. Default 150 000. */
  readonly samples?: number;
  readonly seed?: number;
}

/**
 * The measures `registerLinear` reports, of a pose that was not searched for.
 *
 * @param matrix fixed RAS mm → moving RAS mm. @param fixed one frame, as `moving`.
 */
export function judgePose(
  fixed: Volume,
  moving: Volume,
  matrix: Affine,
  { fixedMask, samples = 150_000, seed = 1 }: JudgeOptions = {},
): Pick<SimilarityValue, 'value' | 'normalised' | 'overlap'> {
  const finest = Math.max(Math.min(...voxelSize(fixed.affine)), Math.min(...voxelSize(moving.affine)));
  const [fixedLevel] = pyramid(fixed, [finest]);
  const [movingLevel] = pyramid(moving, [finest]);
  return mutualInformation(takeSamples(fixedLevel, fixedMask, samples, seed), movingLevel)(matrix, false);
}
