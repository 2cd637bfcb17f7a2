/** Binary erosion. */
import type { MaskVolume } from '@engram/volume';
import type { MorphologyOptions } from './dilate.ts';
import { binary, spread } from './spread.ts';

/**
 * Shrinks the mask by `iterations` voxel steps. Beyond the image there is no mask, so a mask cut off by the edge of the
 * field of view is eroded there too (as scipy's `binary_erosion` does by default).
 */
export function erode(mask: MaskVolume, { connectivity = 6, iterations = 1 }: MorphologyOptions = {}): MaskVolume {
  const data = binary(mask.data);
  spread(data, mask.shape, 0, connectivity, iterations, true);
  return { shape: mask.shape, affine: mask.affine, data };
}
