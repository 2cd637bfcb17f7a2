/** The largest connected part of a mask. */
import type { MaskVolume } from '@engram/volume';
import { components } from './components.ts';
import type { Connectivity } from './connectivity.ts';

/** Keeps the component with the most voxels (the first in memory order on a tie); an empty mask stays empty. */
export function largestComponent(mask: MaskVolume, connectivity: Connectivity = 26): MaskVolume {
  const { labels, sizes } = components(mask, connectivity);
  let best = 0;
  for (let n = 1; n < sizes.length; n++) if (sizes[n] > sizes[best]) best = n;
  const data = new Uint8Array(labels.length);
  for (let i = 0; i < data.length; i++) data[i] = labels[i] === best + 1 ? 1 : 0;
  return { shape: mask.shape, affine: mask.affine, data };
}
