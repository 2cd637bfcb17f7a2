/** Labels of a T1 from a network's posteriors: onto the network's grid, through it, and back onto the T1. */
import { boxAround, cropMask, resample, resampleMask, uncropInto } from '@engram/imaging';
import type { Device } from '@engram/kernels';
import {
  type Grid,
  gridOf,
  type LabelVolume,
  type MaskVolume,
  type Shape3,
  type Volume,
  worldBounds,
} from '@engram/volume';
import type { SegmenterManifest } from './manifest.ts';
import type { Segmenter } from './open-segmenter.ts';

/** Around the brain, mm: what the network sees of its surroundings. */
const MARGIN_MM = 16;

/**
 * @param t1 bias-corrected, whole head
 * @param brain on the grid of the T1; no label lies outside it
 * @returns AAL values on the grid of the T1: in each voxel the label whose posterior, brought there by trilinear
 * interpolation, is largest. The maps are brought there one at a time: all of them on the T1's grid would take gigabytes.
 */
export async function labelByNetwork(
  t1: Volume,
  brain: MaskVolume,
  segmenter: Pick<Segmenter, 'manifest' | 'posteriors'>,
  device: Device,
  onProgress: (fraction: number) => void = () => {},
): Promise<LabelVolume> {
  const { input, output } = segmenter.manifest;
  const grid = networkGrid(brain, input);
  const image = normalised(
    await resample(t1, grid, {}, device),
    await resampleMask(brain, grid, {}, device),
    input.normalisation,
  );
  const maps = await segmenter.posteriors(image, grid.shape);
  onProgress(0.6);

  const box = boxAround(brain, 0);
  const inside = cropMask(brain, box);
  const most = new Float32Array(inside.data.length).fill(-Infinity);
  const labels = new Uint16Array(inside.data.length);
  for (const [channel, data] of maps.entries()) {
    const label = output.labels[channel];
    const here = (await resample({ ...grid, frames: 1, data }, gridOf(inside), {}, device)).data;
    for (let at = 0; at < here.length; at++) {
      if (inside.data[at] === 0 || here[at] <= most[at]) continue;
      most[at] = here[at];
      labels[at] = label;
    }
    onProgress(0.6 + (0.4 * (channel + 1)) / maps.length);
  }
  return { ...gridOf(t1), data: uncropInto(labels, box, t1.shape, new Uint16Array(t1.data.length)) };
}

/** Cubes along R, A, S around the brain and its margin, as many as the network divides by. */
export function networkGrid(brain: MaskVolume, { spacing_mm: step, divisor }: SegmenterManifest['input']): Grid {
  const { min, max } = worldBounds(cropMask(brain, boxAround(brain, MARGIN_MM)), { edges: true });
  // A hair less, so that rounding adds no voxel to an extent that is a whole number of them.
  const size = (k: 0 | 1 | 2) => divisor * Math.ceil((max[k] - min[k]) / (step * divisor) - 1e-6);
  const shape: Shape3 = [size(0), size(1), size(2)];
  const first = (k: 0 | 1 | 2) => (min[k] + max[k] - (shape[k] - 1) * step) / 2;
  return { shape, affine: [step, 0, 0, first(0), 0, step, 0, first(1), 0, 0, step, first(2), 0, 0, 0, 1] };
}

/** The two percentiles of the voxels within the brain become 0 and 1; what lies beyond is clipped. */
function normalised(
  { data }: Volume,
  brain: MaskVolume,
  { low, high }: SegmenterManifest['input']['normalisation'],
): Float32Array {
  const sorted = data.filter((_, at) => brain.data[at] > 0).sort();
  const at = (percent: number) => sorted[Math.floor((percent / 100) * (sorted.length - 1))];
  const [floor, ceiling] = [at(low), at(high)];
  const scale = ceiling > floor ? 1 / (ceiling - floor) : 0;
  return data.map((value) => Math.min(1, Math.max(0, (value - floor) * scale)));
}
