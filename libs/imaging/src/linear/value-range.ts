/** The range of values worth a histogram's bins. */

/**
 * The 0.1th and 99.9th percentile (by nearest rank, of at most 100 000 evenly spaced values): a few hot voxels must not
 * squeeze the brain into one bin. Widened by the smallest usable amount where the image is constant.
 */
export function valueRange(data: Float32Array): { readonly low: number; readonly high: number } {
  const stride = Math.max(1, Math.floor(data.length / 100_000));
  const some = new Float32Array(Math.ceil(data.length / stride));
  for (let i = 0; i < some.length; i++) some[i] = data[i * stride];
  some.sort();
  const low = some[Math.floor(0.001 * (some.length - 1))];
  const high = some[Math.ceil(0.999 * (some.length - 1))];
  return high > low ? { low, high } : { low, high: low + Math.max(1e-6, Math.abs(low) * 1e-6) };
}
