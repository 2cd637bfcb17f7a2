/**
 * Tissue segmentation of a T1 brain: a Gaussian mixture with partial volume under a Markov random field, fitted by
 * expectation maximisation with mean-field updates (Zhang, Brady & Smith 2001; Van Leemput et al. 1999; partial volume after
 * Santago & Gage 1993). docs/algorithms/tissue.md gives the equations and the figures reached.
 */
import { EngramError } from '@engram/errors';
import { type MaskVolume, sameGrid, type Volume } from '@engram/volume';
import { fitHistogram, histogramOf, maximise, quantileOf } from './fit-histogram.ts';
import { type MaskGraph, maskGraph } from './neighbours.ts';
import { type ModelTable, type TissueModel, type Triple, tabulate, typeCount } from './partial-volume.ts';
import { residualField } from './residual-field.ts';

export interface TissuePriors {
  readonly gm: Float32Array;
  readonly wm: Float32Array;
  readonly csf: Float32Array;
}

export interface TissueOptions {
  /** Atlas probabilities on the grid of the image; need not sum to 1. Without them every voxel starts alike. */
  readonly priors?: TissuePriors;
  /** Strength of the Markov field; 0 turns it off. Default 0.6. */
  readonly beta?: number;
  /** Spline cell, in mm, of the drift fitted along with the tissues; 0 leaves the image as it is. Default 40. */
  readonly fieldSpacing?: number;
  /** Expectation-maximisation rounds with the field. Default 12. */
  readonly iterations?: number;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface TissueResult {
  /** Share of each tissue in the voxel, expected given the image; the three sum to 1 in the mask and are 0 outside. */
  readonly csf: Volume;
  readonly gm: Volume;
  readonly wm: Volume;
  /** Means and variances of the pure tissues, in the order CSF, GM, WM. */
  readonly means: Triple;
  readonly variances: Triple;
}

const tableBins = 1024;

/**
 * Splits a bias-corrected T1 into cerebrospinal fluid, grey and white matter inside the brain mask.
 *
 * Deterministic; any orientation and voxel size.
 *
 * @throws IMAGE_NOT_3D for several frames; MASK_GRID_MISMATCH when the mask or a prior lies on another grid; IMAGE_EMPTY when
 * the mask holds fewer than 500 voxels; TISSUE_NOT_SEPARABLE when no three tissues in T1 order fit the histogram.
 */
export async function segmentTissue(
  image: Volume,
  brainMask: MaskVolume,
  options: TissueOptions = {},
): Promise<TissueResult> {
  const { priors, beta = 0.6, iterations = 12, fieldSpacing = 40, onProgress, signal } = options;
  if (image.frames !== 1) throw new EngramError('IMAGE_NOT_3D', `Segmentation takes one frame, not ${image.frames}`);
  if (!sameGrid(image, brainMask)) {
    throw new EngramError('MASK_GRID_MISMATCH', 'The brain mask does not lie on the grid of the image');
  }
  for (const name of ['gm', 'wm', 'csf'] as const) {
    if (priors !== undefined && priors[name].length !== image.data.length) {
      throw new EngramError('MASK_GRID_MISMATCH', `The ${name} prior does not lie on the grid of the image`);
    }
  }
  const graph = maskGraph(brainMask);
  const count = graph.voxels.length;
  if (count < 500) throw new EngramError('IMAGE_EMPTY', `The brain mask holds only ${count} voxels`);
  const values = Float32Array.from(graph.voxels, (i) => image.data[i]!);
  const atlas = priors === undefined ? undefined : compactPriors(priors, graph);
  const field = fieldSpacing > 0 ? residualField(image, graph, fieldSpacing) : undefined;
  const shares = new Float32Array(3 * count);
  let current = quantise(values, field?.log);
  let model = fitOrThrow(current);
  for (let round = 0; round < iterations; round++) {
    if (signal?.aborted) throw signal.reason;
    const { low, step, bins } = current;
    const table = tabulate(model, low, step, tableBins);
    // The first round has no neighbours to look at yet.
    const sums = expectation(graph, bins, table, model, shares, round === 0 ? 0 : beta, atlas);
    if (round === iterations - 1) break;
    model = maximise(sums.weight, sums.first, sums.second, step) ?? model;
    if (field !== undefined && round < iterations - 3) {
      field.update(values, shares, model);
      current = quantise(values, field.log);
      // Once the drift is gone the histogram is sharper: start the tissues afresh from it.
      if (round === Math.floor(iterations / 2) - 1) model = fitOrThrow(current);
    }
    onProgress?.((round + 1) / iterations);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  onProgress?.(1);

  const volume = (tissue: number): Volume => {
    const data = new Float32Array(image.data.length);
    for (let n = 0; n < count; n++) data[graph.voxels[n]!] = shares[3 * n + tissue]!;
    return { shape: image.shape, frames: 1, affine: image.affine, data };
  };
  return { csf: volume(0), gm: volume(1), wm: volume(2), means: model.means, variances: model.variances };
}

interface Quantised {
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly corrected: Float32Array;
  /** Row of the model table for each listed voxel. */
  readonly bins: Uint16Array;
}

function quantise(values: Float32Array, log: Float32Array | undefined): Quantised {
  const corrected = log === undefined ? values : values.map((v, n) => v * Math.exp(-log[n]!));
  const { low, high } = intensityRange(corrected);
  const step = (high - low) / (tableBins - 1);
  const bins = new Uint16Array(corrected.length);
  for (let n = 0; n < bins.length; n++) {
    bins[n] = Math.min(Math.max(Math.round((corrected[n]! - low) / step), 0), tableBins - 1);
  }
  return { low, high, step, corrected, bins };
}

function fitOrThrow({ corrected, low, high }: Quantised): TissueModel {
  const model = fitHistogram(histogramOf(corrected, low, high, 256));
  if (model !== null) return model;
  throw new EngramError('TISSUE_NOT_SEPARABLE', 'The histogram inside the brain mask shows no three tissues of a T1');
}

/** From the 0.1 % to the 99.9 % quantile, a little widened: a few vessels must not stretch the histogram. */
function intensityRange(values: Float32Array): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(high > low)) throw new EngramError('TISSUE_NOT_SEPARABLE', 'The image is constant inside the brain mask');
  for (let pass = 0; pass < 2; pass++) {
    const histogram = histogramOf(values, low, high, 1024);
    const [a, b] = [quantileOf(histogram, 0.001), quantileOf(histogram, 0.999)];
    if (!(b > a)) break;
    [low, high] = [Math.max(low, a - 0.02 * (b - a)), Math.min(high, b + 0.02 * (b - a))];
  }
  return { low, high };
}

/** Five type priors a voxel: a mixture is as likely as the geometric mean of its two tissues. */
function compactPriors(priors: TissuePriors, graph: MaskGraph): Float32Array {
  const out = new Float32Array(typeCount * graph.voxels.length);
  for (let n = 0; n < graph.voxels.length; n++) {
    const i = graph.voxels[n]!;
    const raw = [priors.csf[i]!, priors.gm[i]!, priors.wm[i]!].map((p) => Math.max(p, 0) + 0.02) as [
      number,
      number,
      number,
    ];
    const sum = raw[0] + raw[1] + raw[2];
    const [c, g, w] = raw.map((p) => p / sum) as [number, number, number];
    out.set([c, g, w, Math.sqrt(c * g), Math.sqrt(g * w)], typeCount * n);
  }
  return out;
}

/**
 * One mean-field sweep, in place and colour by colour: type posterior ~ share * density * prior * exp(beta * sum over
 * neighbours of weight * <type's tissues, neighbour's tissues>), then the tissue shares it implies. Returns the sums from
 * which the next model follows (pure types only carry means and variances).
 */
function expectation(
  graph: MaskGraph,
  bins: Uint16Array,
  table: ModelTable,
  model: TissueModel,
  shares: Float32Array,
  beta: number,
  atlas: Float32Array | undefined,
): { weight: Float64Array; first: Float64Array; second: Float64Array } {
  const weight = new Float64Array(typeCount);
  const first = new Float64Array(3);
  const second = new Float64Array(3);
  const { density, brighter, bins: b } = table;
  const [p0, p1, p2, p3, p4] = model.shares as [number, number, number, number, number];
  const { neighbours, weights } = graph;
  for (const colour of graph.colours) {
    for (let c = 0; c < colour.length; c++) {
      const n = colour[c]!;
      const bin = bins[n]!;
      let e0 = 0;
      let e1 = 0;
      let e2 = 0;
      if (beta > 0) {
        for (let d = 0; d < 6; d++) {
          const m = neighbours[6 * n + d]!;
          if (m < 0) continue;
          const w = weights[d]!;
          e0 += w * shares[3 * m]!;
          e1 += w * shares[3 * m + 1]!;
          e2 += w * shares[3 * m + 2]!;
        }
      }
      const lower = brighter[bin]!;
      const upper = brighter[b + bin]!;
      let q0 = p0 * density[bin]! * Math.exp(beta * e0);
      let q1 = p1 * density[b + bin]! * Math.exp(beta * e1);
      let q2 = p2 * density[2 * b + bin]! * Math.exp(beta * e2);
      let q3 = p3 * density[3 * b + bin]! * Math.exp(beta * ((1 - lower) * e0 + lower * e1));
      let q4 = p4 * density[4 * b + bin]! * Math.exp(beta * ((1 - upper) * e1 + upper * e2));
      if (atlas !== undefined) {
        const a = typeCount * n;
        q0 *= atlas[a]!;
        q1 *= atlas[a + 1]!;
        q2 *= atlas[a + 2]!;
        q3 *= atlas[a + 3]!;
        q4 *= atlas[a + 4]!;
      }
      const sum = q0 + q1 + q2 + q3 + q4;
      if (sum > 0) {
        q0 /= sum;
        q1 /= sum;
        q2 /= sum;
        q3 /= sum;
        q4 /= sum;
      } else {
        // Beyond every density (underflow): darker than all is CSF, brighter than all is WM.
        q0 = table.origin + bin * table.step < model.means[1] ? 1 : 0;
        q2 = 1 - q0;
      }
      const csf = q0 + q3 * (1 - lower);
      const wm = q2 + q4 * upper;
      shares[3 * n] = csf;
      shares[3 * n + 2] = wm;
      shares[3 * n + 1] = Math.max(1 - csf - wm, 0);
      const v = table.origin + bin * table.step;
      weight[0]! += q0;
      weight[1]! += q1;
      weight[2]! += q2;
      weight[3]! += q3;
      weight[4]! += q4;
      first[0]! += q0 * v;
      first[1]! += q1 * v;
      first[2]! += q2 * v;
      second[0]! += q0 * v * v;
      second[1]! += q1 * v * v;
      second[2]! += q2 * v * v;
    }
  }
  return { weight, first, second };
}
