export interface Statistics {
  readonly count: number;
  readonly mean: number;
  /** Of the population. */
  readonly sd: number;
}

/** Over the voxels where `inside` holds; NaN for none. */
export function statisticsOf(data: ArrayLike<number>, inside: (at: number) => boolean): Statistics {
  let [count, mean, squares] = [0, 0, 0];
  for (let at = 0; at < data.length; at++) {
    if (!inside(at)) continue;
    // Welford's update: the sum of squares of a bright image would lose what the SD needs.
    count++;
    const delta = data[at] - mean;
    mean += delta / count;
    squares += delta * (data[at] - mean);
  }
  return count === 0 ? { count, mean: Number.NaN, sd: Number.NaN } : { count, mean, sd: Math.sqrt(squares / count) };
}

/** Pearson's r over the voxels where `inside` holds; 0 where either is constant. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>, inside: (at: number) => boolean): number {
  const [x, y] = [statisticsOf(a, inside), statisticsOf(b, inside)];
  if (!(x.sd > 0) || !(y.sd > 0)) return 0;
  let sum = 0;
  for (let at = 0; at < a.length; at++) if (inside(at)) sum += (a[at] - x.mean) * (b[at] - y.mean);
  return sum / (x.count * x.sd * y.sd);
}

/** 2|A∩B| / (|A|+|B|) of two masks; 0 for two empty ones. */
export function diceOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [both, sum] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at] > 0, b[at] > 0];
    if (x && y) both++;
    sum += (x ? 1 : 0) + (y ? 1 : 0);
  }
  return sum === 0 ? 0 : (2 * both) / sum;
}

/** Σ 2 min(a, b) / Σ (a + b): Dice's overlap of two maps of shares. */
export function softDice(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [both, sum] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    both += Math.min(a[at], b[at]);
    sum += a[at] + b[at];
  }
  return sum === 0 ? 0 : (2 * both) / sum;
}
