/**
 * Foreground of a scan: where there is signal at all. Otsu (1979) on intensities clipped at their 99th percentile, so that
 * a few bright voxels (fat, vessels) cannot pull the threshold above the brain.
 */
const bins = 256;

/** Otsu's threshold of the finite values of `data` within [0, 99th percentile of the positive ones]; 0 where nothing is positive. */
export function otsuThreshold(data: Float32Array): number {
  const ceiling = positivePercentile(data, 0.99);
  if (!(ceiling > 0)) return 0;
  const counts = new Float64Array(bins);
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (!(v >= 0)) continue;
    counts[Math.min(Math.floor((v / ceiling) * bins), bins - 1)]!++;
  }
  let total = 0;
  let weighted = 0;
  for (let b = 0; b < bins; b++) {
    total += counts[b]!;
    weighted += b * counts[b]!;
  }
  let below = 0;
  let belowWeighted = 0;
  let best = -1;
  let split = 0;
  for (let b = 0; b < bins - 1; b++) {
    below += counts[b]!;
    belowWeighted += b * counts[b]!;
    if (below === 0 || below === total) continue;
    const gap = belowWeighted / below - (weighted - belowWeighted) / (total - below);
    const between = below * (total - below) * gap * gap;
    if (between > best) {
      best = between;
      split = b;
    }
  }
  return ((split + 1) / bins) * ceiling;
}

/** The given quantile (0 to 1) of the finite positive values, to within 1/4096 of their range twice refined; 0 when there are none. */
export function positivePercentile(data: Float32Array, quantile: number): number {
  let low = 0;
  let high = 0;
  let count = 0;
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (v > 0 && v < Number.POSITIVE_INFINITY) {
      count++;
      if (v > high) high = v;
    }
  }
  if (count === 0) return 0;
  let rank = quantile * count;
  for (let pass = 0; pass < 2; pass++) {
    const cells = new Float64Array(4096);
    const scale = cells.length / (high - low);
    for (let i = 0; i < data.length; i++) {
      const v = data[i]!;
      if (v > low && v <= high) cells[Math.min(Math.floor((v - low) * scale), cells.length - 1)]!++;
    }
    let cell = 0;
    while (cell < cells.length - 1 && cells[cell]! < rank) rank -= cells[cell++]!;
    [low, high] = [low + cell / scale, low + (cell + 1) / scale];
  }
  return high;
}
