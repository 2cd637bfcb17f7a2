import { EngramError } from '@engram/errors';

const BINS = 4096;

/**
 * Divides by the 99th percentile of the positive values, so that the noise floor of the correlation means the same for
 * every scanner. Negative values become 0.
 * @throws IMAGE_EMPTY when no value is positive.
 */
export function normaliseIntensity(data: Float32Array, name: 'fixed' | 'moving'): Float32Array {
  let largest = 0;
  for (const value of data) if (value > largest && value < Number.POSITIVE_INFINITY) largest = value;
  if (largest === 0) {
    throw new EngramError('IMAGE_EMPTY', `The ${name} image has no positive voxel where the two overlap`, {
      field: name,
    });
  }
  const counts = new Uint32Array(BINS + 1);
  let positive = 0;
  for (const value of data) {
    if (!(value > 0)) continue;
    counts[Math.min(BINS, Math.floor((value / largest) * BINS))]++;
    positive++;
  }
  let bin = 0;
  for (let below = counts[0]; below < 0.99 * positive; below += counts[bin]) bin++;
  const scale = BINS / ((bin + 1) * largest);
  // A NaN would spread through every window that touches it.
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const value = data[i];
    if (value > 0 && value < Number.POSITIVE_INFINITY) out[i] = value * scale;
  }
  return out;
}
