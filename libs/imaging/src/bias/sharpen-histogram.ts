/**
 * Histogram sharpening of log intensities (Sled, Zijdenbos & Evans 1998, section III-B; Tustison et al. 2010, section II-A):
 * the observed histogram V is the true one U blurred by a Gaussian F (the histogram of the log bias). A Wiener filter
 * estimates U, and every observed value v is replaced by E[u | v] = F*(u U) / F*(U).
 */
import { fourierInPlace } from './fourier.ts';

export interface SharpenOptions {
  /** Histogram bins over the observed range. */
  readonly bins: number;
  /** Full width at half maximum of F, in units of log intensity. */
  readonly fwhm: number;
  /** Noise term of the Wiener filter. */
  readonly wienerNoise: number;
}

/** E[u | v] tabulated at `bins` equally spaced v: value = minimum + slope * index. */
export interface SharpenedTable {
  readonly minimum: number;
  readonly slope: number;
  readonly expected: Float64Array;
}

/**
 * Tabulates E[u | v] for the values at the given indices.
 *
 * Each value is split between its two neighbouring bins, so the table is a continuous function of the input. A constant
 * input gives the identity.
 */
export function sharpenHistogram(values: Float32Array, options: SharpenOptions): SharpenedTable {
  const { bins, fwhm, wienerNoise } = options;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v < minimum) minimum = v;
    if (v > maximum) maximum = v;
  }
  const slope = (maximum - minimum) / (bins - 1);
  const expected = new Float64Array(bins);
  if (!(slope > 0)) return { minimum, slope: 1, expected: expected.fill(minimum) };

  const size = 2 ** (Math.ceil(Math.log2(bins)) + 1);
  const offset = (size - bins) >> 1;
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < values.length; i++) {
    const position = (values[i]! - minimum) / slope;
    const bin = Math.min(Math.floor(position), bins - 2);
    const part = position - bin;
    re[offset + bin]! += 1 - part;
    re[offset + bin + 1]! += part;
  }

  // F sampled on the circle of `size` bins, normalised to unit sum, has a real transform because it is symmetric.
  const gaussian = new Float64Array(size);
  const gaussianIm = new Float64Array(size);
  const width = fwhm / slope;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const distance = Math.min(i, size - i);
    gaussian[i] = Math.exp((-4 * Math.LN2 * distance * distance) / (width * width));
    sum += gaussian[i]!;
  }
  for (let i = 0; i < size; i++) gaussian[i]! /= sum;
  fourierInPlace(gaussian, gaussianIm, false);

  fourierInPlace(re, im, false);
  for (let i = 0; i < size; i++) {
    const f = gaussian[i]!;
    const wiener = f / (f * f + wienerNoise);
    re[i]! *= wiener;
    im[i]! *= wiener;
  }
  fourierInPlace(re, im, true);

  const numeratorIm = new Float64Array(size);
  const numerator = new Float64Array(size);
  const denominator = new Float64Array(size);
  const denominatorIm = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const u = Math.max(re[i]!, 0);
    denominator[i] = u;
    numerator[i] = u * (minimum + (i - offset) * slope);
  }
  fourierInPlace(numerator, numeratorIm, false);
  fourierInPlace(denominator, denominatorIm, false);
  for (let i = 0; i < size; i++) {
    const f = gaussian[i]!;
    numerator[i]! *= f;
    numeratorIm[i]! *= f;
    denominator[i]! *= f;
    denominatorIm[i]! *= f;
  }
  fourierInPlace(numerator, numeratorIm, true);
  fourierInPlace(denominator, denominatorIm, true);

  for (let i = 0; i < bins; i++) {
    const d = denominator[i + offset]!;
    // Where no mass lies within reach of F the estimate is 0/0: leave the value as it is.
    expected[i] = d > 1e-9 * values.length ? numerator[i + offset]! / d : minimum + i * slope;
  }
  return { minimum, slope, expected };
}

/** Linear interpolation in the table; values outside its range are clamped to it. */
export function lookUp(table: SharpenedTable, value: number): number {
  const last = table.expected.length - 1;
  const position = Math.min(Math.max((value - table.minimum) / table.slope, 0), last);
  const bin = Math.min(Math.floor(position), last - 1);
  const part = position - bin;
  return (1 - part) * table.expected[bin]! + part * table.expected[bin + 1]!;
}
