/**
 * Maximum-likelihood fit of the five-type model to the histogram of brain intensities by expectation maximisation
 * (Dempster 1977), from many starts; the likeliest plausible fit wins. One dimension only: position comes in afterwards.
 */
import { type TissueModel, type Triple, tabulate, typeCount } from './partial-volume.ts';

export interface Histogram {
  readonly origin: number;
  readonly step: number;
  readonly counts: Float64Array;
}

/** Histogram of the values between two quantiles' neighbourhood; values outside go to the end bins. */
export function histogramOf(values: Float32Array, low: number, high: number, bins: number): Histogram {
  const step = (high - low) / (bins - 1);
  const counts = new Float64Array(bins);
  for (let i = 0; i < values.length; i++) {
    counts[Math.min(Math.max(Math.round((values[i]! - low) / step), 0), bins - 1)]!++;
  }
  return { origin: low, step, counts };
}

/** The intensity below which the given share of the histogram lies. */
export function quantileOf(histogram: Histogram, share: number): number {
  let total = 0;
  for (const c of histogram.counts) total += c;
  let below = 0;
  let bin = 0;
  while (bin < histogram.counts.length - 1 && below + histogram.counts[bin]! < share * total) {
    below += histogram.counts[bin++]!;
  }
  return histogram.origin + bin * histogram.step;
}

const triple = (of: (tissue: 0 | 1 | 2) => number): Triple => [of(0), of(1), of(2)];

const starts: readonly Triple[] = [0.01, 0.03, 0.08, 0.2].flatMap((csf) =>
  [0.2, 0.3, 0.4, 0.5].flatMap((gm) => [0.7, 0.8, 0.9].map((wm): Triple => [csf, csf + gm * (1 - csf), wm])),
);

/**
 * The likeliest model among the starts, or null when no start leads to three tissues in the order CSF < GM < WM. `fluid`, when
 * given, is about the intensity of CSF: models whose CSF is much brighter are refused.
 */
export function fitHistogram(histogram: Histogram, fluid?: number): TissueModel | null {
  const tried: Fit[] = [];
  for (const quantiles of starts) {
    const means = triple((k) => quantileOf(histogram, quantiles[k]));
    if (!(means[0] < means[1] && means[1] < means[2])) continue;
    const spread = ((means[2] - means[0]) / 8) ** 2;
    const start = { means, variances: [spread, spread, spread] as const, shares: [0.1, 0.35, 0.35, 0.1, 0.1] };
    const fit = iterate(histogram, start, 12);
    if (fit !== null) tried.push(fit);
  }
  // Twelve rounds tell which starts lead anywhere; only the best of those are worth following to the end.
  tried.sort((a, b) => b.score - a.score);
  let best: Fit | null = null;
  for (const { model } of tried.slice(0, 6)) {
    const fit = iterate(histogram, model, 80);
    const { means } = fit?.model ?? { means: [0, 0, 0] };
    const dark = fluid === undefined || means[0] <= fluid + 0.3 * (means[1] - fluid);
    if (fit !== null && dark && plausible(fit.model) && (best === null || fit.score > best.score)) best = fit;
  }
  return best?.model ?? null;
}

interface Fit {
  readonly model: TissueModel;
  readonly score: number;
}

function iterate(histogram: Histogram, start: TissueModel, iterations: number): Fit | null {
  const { counts, origin, step } = histogram;
  const bins = counts.length;
  let model = start;
  let score = Number.NEGATIVE_INFINITY;
  for (let n = 0; n < iterations; n++) {
    const { density } = tabulate(model, origin, step, bins);
    const weight = new Float64Array(typeCount);
    const first = new Float64Array(3);
    const second = new Float64Array(3);
    let likelihood = 0;
    for (let b = 0; b < bins; b++) {
      if (counts[b] === 0) continue;
      const v = origin + b * step;
      let sum = 1e-12;
      for (let k = 0; k < typeCount; k++) sum += model.shares[k]! * density[k * bins + b]!;
      likelihood += counts[b]! * Math.log(sum);
      for (let k = 0; k < typeCount; k++) {
        const r = (counts[b]! * model.shares[k]! * density[k * bins + b]!) / sum;
        weight[k]! += r;
        if (k < 3) {
          first[k]! += r * v;
          second[k]! += r * v * v;
        }
      }
    }
    const next = maximise(weight, first, second, step);
    if (next === null) return null;
    model = next;
    if (Math.abs(likelihood - score) < 1e-7 * Math.abs(likelihood)) {
      score = likelihood;
      break;
    }
    score = likelihood;
  }
  return { model, score };
}

/** New parameters from the weighted sums of value and value^2; null when a tissue vanished. */
export function maximise(
  weight: Float64Array,
  first: Float64Array,
  second: Float64Array,
  step: number,
): TissueModel | null {
  let total = 0;
  for (const w of weight) total += w;
  if (!(weight[0]! > 0 && weight[1]! > 0 && weight[2]! > 0)) return null;
  const means = triple((k) => first[k]! / weight[k]!);
  const own = triple((k) => Math.max(second[k]! / weight[k]! - means[k] ** 2, step * step));
  // Scanner noise is common to the tissues: the big ones bound the small one, else a CSF class of a few mL takes any shape.
  const pooled = (own[1] * weight[1]! + own[2] * weight[2]!) / (weight[1]! + weight[2]!);
  const variances = triple((k) => Math.min(Math.max(own[k], 0.4 * pooled), 2.5 * pooled));
  return { means, variances, shares: Array.from(weight, (w) => w / total) };
}

/** Bounds wide enough for any T1 contrast and for advanced atrophy, narrow enough to refuse a split of one tissue in two. */
function plausible({ means, shares }: TissueModel): boolean {
  const position = (means[1] - means[0]) / (means[2] - means[0]);
  const [csf, gm, wm, csfGm, gmWm] = shares as [number, number, number, number, number];
  const amount = [csf + csfGm / 2, gm + csfGm / 2 + gmWm / 2, wm + gmWm / 2];
  return (
    means[0] < means[1] &&
    means[1] < means[2] &&
    // Fluid is dark on any T1; without this a skewed grey peak passes for fluid when there is little of it.
    means[0] < 0.57 * means[2] &&
    position > 0.35 &&
    position < 0.88 &&
    amount[0]! < 0.5 &&
    amount[1]! > 0.2 &&
    amount[1]! < 0.75 &&
    amount[2]! > 0.15 &&
    amount[2]! < 0.65
  );
}
