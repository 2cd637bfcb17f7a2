/** Binary dilation. */
import type { MaskVolume } from '@engram/volume';
import type { Connectivity } from './connectivity.ts';
import { binary, spread } from './spread.ts';

export interface MorphologyOptions {
  /** Default 6: one iteration grows by the six face neighbours. */
  readonly connectivity?: Connectivity;
  /** Voxel steps; default 1. */
  readonly iterations?: number;
}

/** Grows the mask by `iterations` voxel steps. Beyond the image there is no mask. */
export function dilate(mask: MaskVolume, { connectivity = 6, iterations = 1 }: MorphologyOptions = {}): MaskVolume {
  const data = binary(mask.data);
  spread(data, mask.shape, 1, connectivity, iterations, false);
  return { shape: mask.shape, affine: mask.affine, data };
}
