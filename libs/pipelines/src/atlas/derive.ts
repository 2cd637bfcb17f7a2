/**
 * What the template's brain image and labels imply: brain mask, tissue fractions, ventricle and cerebellum regions,
 * intracranial volume. Pure and without a device, so that every backend starts from the same template.
 */
import { CEREBELLUM_LABELS } from '@engram/contracts';
import { dilate, erode, fillHoles, largestComponent } from '@engram/imaging';
import { type LabelVolume, type MaskVolume, type Volume, voxelVolume } from '@engram/volume';

export interface DerivedTemplate {
  readonly brain: MaskVolume;
  readonly gm: Volume;
  readonly wm: Volume;
  readonly csf: Volume;
  /** Fluid deep inside the brain: the lateral and third ventricles. */
  readonly ventricles: MaskVolume;
  /** AAL 91 to 116. */
  readonly cerebellum: MaskVolume;
  /** Volume inside the skull, mL: what eTIV scales. Colin27: 1.93 L; FreeSurfer's constant for the MNI305 is 1.948 L. */
  readonly intracranialMl: number;
}

/**
 * @param brain skull-stripped T1, 0 outside.
 * @param labels AAL on the same grid.
 */
export function deriveTemplate(brain: Volume, labels: LabelVolume): DerivedTemplate {
  const { shape, affine } = brain;
  const where = (holds: (at: number) => boolean): Uint8Array => {
    const out = new Uint8Array(brain.data.length);
    for (let at = 0; at < out.length; at++) out[at] = holds(at) ? 1 : 0;
    return out;
  };
  const inside = where((at) => brain.data[at] > 0);
  const close = (data: Uint8Array, iterations: number): MaskVolume =>
    erode(dilate({ shape, affine, data }, { iterations }), { iterations });
  const mask = fillHoles(close(inside, 3)).data;
  // Between the brain's closed surface and the dark bone lie 2 mm of fluid (in Colin27's mean intensity by distance).
  const skull = dilate(
    { shape, affine, data: mask },
    { iterations: Math.max(1, Math.round(2 / Math.cbrt(voxelVolume(affine)))) },
  );
  const posterior = tissuePosteriors(brain.data, mask);
  const image = (data: Float32Array): Volume => ({ shape, affine, frames: 1, data });
  const cerebellar = new Set(CEREBELLUM_LABELS);
  const deep = erode({ shape, affine, data: mask }, { iterations: 18 }).data;
  const fluid = where((at) => posterior.csf[at] > 0.5 && deep[at] > 0 && labels.data[at] === 0);
  return {
    brain: { shape, affine, data: mask },
    gm: image(posterior.gm),
    wm: image(posterior.wm),
    csf: image(posterior.csf),
    ventricles: largestComponent(close(fluid, 1), 6),
    cerebellum: { shape, affine, data: where((at) => cerebellar.has(labels.data[at])) },
    intracranialMl: (count(skull.data) * voxelVolume(affine)) / 1000,
  };
}

const BINS = 256;

/**
 * Fluid, grey, white: three Gaussians fitted to the histogram inside the mask by expectation and maximisation (Dempster
 * 1977), started at the 5th, 40th and 85th percentiles; voxels the skull-stripping left at 0 count as fluid.
 */
export function tissuePosteriors(data: Float32Array, mask: Uint8Array) {
  const largest = data.reduce((most, value, at) => (mask[at] ? Math.max(most, value) : most), 0);
  const histogram = new Float64Array(BINS);
  data.forEach((value, at) => {
    if (mask[at] && value > 0) histogram[Math.min(BINS - 1, Math.floor((value / largest) * BINS))]++;
  });
  const total = histogram.reduce((a, b) => a + b, 0);
  const quantile = (q: number): number => {
    let sum = 0;
    for (let bin = 0; bin < BINS; bin++) {
      sum += histogram[bin];
      if (sum >= q * total) return (bin + 0.5) / BINS;
    }
    return 1;
  };
  let classes = [0.05, 0.4, 0.85].map((q) => ({ mean: quantile(q), sd: 0.06, weight: 1 / 3 }));
  const likelihoods = (v: number) =>
    classes.map((c) => (c.weight / c.sd) * Math.exp(-0.5 * ((v - c.mean) / c.sd) ** 2) + 1e-30);
  for (let step = 0; step < 60; step++) {
    const sums = classes.map(() => ({ n: 0, v: 0, vv: 0 }));
    for (let bin = 0; bin < BINS; bin++) {
      const v = (bin + 0.5) / BINS;
      const p = likelihoods(v);
      const norm = p[0] + p[1] + p[2];
      sums.forEach((s, k) => {
        const n = (histogram[bin] * p[k]) / norm;
        s.n += n;
        s.v += n * v;
        s.vv += n * v * v;
      });
    }
    classes = sums.map((s) => {
      const mean = s.v / s.n;
      return { mean, sd: Math.sqrt(Math.max(s.vv / s.n - mean * mean, 1e-4)), weight: s.n / total };
    });
  }
  const table = Array.from({ length: BINS }, (_, bin) => {
    const v = (bin + 0.5) / BINS;
    // A wide Gaussian would win back the far side of a narrow one: beyond the outer means the order is fixed.
    if (v <= classes[0].mean) return [1, 0, 0];
    if (v >= classes[2].mean) return [0, 0, 1];
    const p = likelihoods(v);
    const norm = p[0] + p[1] + p[2];
    return p.map((value) => value / norm);
  });
  const out = [0, 1, 2].map(() => new Float32Array(data.length));
  data.forEach((value, at) => {
    if (!mask[at]) return;
    const p = table[Math.min(BINS - 1, Math.floor((value / largest) * BINS))];
    for (let k = 0; k < 3; k++) out[k][at] = p[k];
  });
  return { csf: out[0], gm: out[1], wm: out[2], means: classes.map((c) => c.mean * largest) };
}

const count = (mask: Uint8Array): number => mask.reduce((n, value) => n + value, 0);
