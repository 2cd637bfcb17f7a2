/**
 * Training by Adam on the pinball loss of seven quantiles (missing targets carry no loss) and the likelihood of the
 * discrete-time event. Plain loops in double precision and a seeded order: the same seed gives the same weights.
 */
import type { Random } from '../random.ts';
import {
  affine,
  emptyNetwork,
  HORIZONS,
  INCREMENT_SIGNS,
  INCREMENTS,
  type Layer,
  layer,
  type Network,
  OUTPUTS,
  QUANTILES,
  softplus,
} from './network.ts';

export interface TrainingRow {
  readonly x: Float32Array;
  /** Scaled targets minus the linear part; NaN where nobody measured. */
  readonly residual: Float64Array;
  readonly event: number;
  readonly followed: number;
}

export interface TrainingOptions {
  readonly hidden: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
}

interface Trained {
  readonly layer: Layer;
  readonly gradient: Layer;
  readonly first: Layer;
  readonly second: Layer;
}

const trained = (each: Layer): Trained => ({
  layer: each,
  gradient: layer(each.inputs, each.outputs),
  first: layer(each.inputs, each.outputs),
  second: layer(each.inputs, each.outputs),
});

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
const EVENT_WEIGHT = 0.5;
/** INCREMENT_SIGNS by quantile: the inner loop runs a hundred million times. */
const SIGNS_OF_QUANTILE = QUANTILES.map((_, q) => INCREMENT_SIGNS.map((row) => row[q] ?? 0));

function initialise(network: Network, random: Random): void {
  for (const each of [network.first, network.second]) {
    const sd = Math.sqrt(2 / each.inputs);
    for (let k = 0; k < each.weights.length; k++) each.weights[k] = random.normal(0, sd);
  }
  for (const each of [network.centre, network.increments, network.hazard]) {
    for (let k = 0; k < each.weights.length; k++) each.weights[k] = random.normal(0, 0.01);
  }
  network.increments.bias.fill(-1);
  network.hazard.bias.fill(-2.5);
}

/** Adds d loss / d (weights, bias) and returns d loss / d x into `back`. */
function backward(each: Trained, x: Float64Array, up: Float64Array, back: Float64Array | undefined): void {
  const { inputs, outputs, weights } = each.layer;
  const { weights: gradient, bias } = each.gradient;
  for (let o = 0; o < outputs; o++) bias[o] = (bias[o] ?? 0) + (up[o] ?? 0);
  for (let i = 0; i < inputs; i++) {
    const value = x[i] ?? 0;
    const row = i * outputs;
    if (value === 0 && !back) continue;
    let sum = 0;
    for (let o = 0; o < outputs; o++) {
      const u = up[o] ?? 0;
      sum += u * (weights[row + o] ?? 0);
      gradient[row + o] = (gradient[row + o] ?? 0) + value * u;
    }
    if (back) back[i] = (back[i] ?? 0) + sum;
  }
}

function adam(each: Trained, rate: number, step: number, count: number): void {
  const correction = Math.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step);
  for (const part of ['weights', 'bias'] as const) {
    const value = each.layer[part];
    const gradient = each.gradient[part];
    const first = each.first[part];
    const second = each.second[part];
    for (let k = 0; k < value.length; k++) {
      const g = (gradient[k] ?? 0) / count;
      const m = 0.9 * (first[k] ?? 0) + 0.1 * g;
      const v = 0.999 * (second[k] ?? 0) + 0.001 * g * g;
      first[k] = m;
      second[k] = v;
      value[k] = (value[k] ?? 0) - (rate * correction * m) / (Math.sqrt(v) + 1e-8);
      gradient[k] = 0;
    }
  }
}

/** d loss / d hazard score: -log likelihood of surviving the horizons before the event, then having it. */
function hazardGradient(scores: Float64Array, { event, followed }: TrainingRow, up: Float64Array): void {
  up.fill(0);
  for (let h = 0; h < Math.min(HORIZONS, followed) && h <= event; h++) {
    const z = scores[h] ?? 0;
    const hazard = softplus(z);
    const slope = sigmoid(z);
    up[h] = EVENT_WEIGHT * slope * (h === event ? -1 / Math.max(Math.expm1(hazard), 1e-6) : 1);
  }
}

export function trainNetwork(
  rows: readonly TrainingRow[],
  skip: Layer,
  options: TrainingOptions,
  random: Random,
): Network {
  const network: Network = { ...emptyNetwork(options.hidden), skip };
  initialise(network, random);
  const [first, second, centre, increments, hazard] = [
    trained(network.first),
    trained(network.second),
    trained(network.centre),
    trained(network.increments),
    trained(network.hazard),
  ] as const;
  const all = [first, second, centre, increments, hazard];
  const h1 = new Float64Array(options.hidden);
  const h2 = new Float64Array(options.hidden);
  const mid = new Float64Array(OUTPUTS);
  const raw = new Float64Array(OUTPUTS * INCREMENTS);
  const scores = new Float64Array(HORIZONS);
  const upMid = new Float64Array(OUTPUTS);
  const upRaw = new Float64Array(OUTPUTS * INCREMENTS);
  const upScores = new Float64Array(HORIZONS);
  const back2 = new Float64Array(options.hidden);
  const back1 = new Float64Array(options.hidden);
  const order = Uint32Array.from(rows, (_, k) => k);
  const steps = options.epochs * Math.ceil(rows.length / options.batch);
  let step = 0;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    for (let k = order.length - 1; k > 0; k--) {
      const j = random.below(k + 1);
      [order[k], order[j]] = [order[j] ?? 0, order[k] ?? 0];
    }
    for (let start = 0; start < order.length; start += options.batch) {
      const batch = order.subarray(start, start + options.batch);
      for (const index of batch) {
        const row = rows[index];
        if (!row) continue;
        const x = Float64Array.from(row.x);
        affine(network.first, x, h1);
        for (let k = 0; k < h1.length; k++) h1[k] = Math.max(0, h1[k] ?? 0);
        affine(network.second, h1, h2);
        for (let k = 0; k < h2.length; k++) h2[k] = Math.max(0, h2[k] ?? 0);
        affine(network.centre, h2, mid);
        affine(network.increments, h2, raw);
        affine(network.hazard, h2, scores);
        quantileGradient(mid, raw, row.residual, upMid, upRaw);
        hazardGradient(scores, row, upScores);
        back2.fill(0);
        back1.fill(0);
        backward(centre, h2, upMid, back2);
        backward(increments, h2, upRaw, back2);
        backward(hazard, h2, upScores, back2);
        for (let k = 0; k < h2.length; k++) if (h2[k] === 0) back2[k] = 0;
        backward(second, h1, back2, back1);
        for (let k = 0; k < h1.length; k++) if (h1[k] === 0) back1[k] = 0;
        backward(first, x, back1, undefined);
      }
      step++;
      const rate = options.rate * 0.5 * (1 + Math.cos((Math.PI * step) / steps)) + 1e-5;
      for (const each of all) adam(each, rate, step, batch.length);
    }
  }
  return network;
}

/** d pinball / d centre and d increments (before softplus). */
function quantileGradient(
  mid: Float64Array,
  raw: Float64Array,
  residual: Float64Array,
  upMid: Float64Array,
  upRaw: Float64Array,
): void {
  upMid.fill(0);
  upRaw.fill(0);
  const width = new Float64Array(INCREMENTS);
  for (let o = 0; o < OUTPUTS; o++) {
    const target = residual[o] ?? Number.NaN;
    if (Number.isNaN(target)) continue;
    for (let k = 0; k < INCREMENTS; k++) width[k] = softplus(raw[o * INCREMENTS + k] ?? 0);
    for (let q = 0; q < QUANTILES.length; q++) {
      const signs = SIGNS_OF_QUANTILE[q] ?? [];
      const value = signs.reduce((sum, sign, k) => sum + sign * (width[k] ?? 0), mid[o] ?? 0);
      const slope = (target < value ? 1 - (QUANTILES[q] ?? 0) : -(QUANTILES[q] ?? 0)) / QUANTILES.length;
      upMid[o] = (upMid[o] ?? 0) + slope;
      for (let k = 0; k < INCREMENTS; k++) {
        const at = o * INCREMENTS + k;
        upRaw[at] = (upRaw[at] ?? 0) + slope * (signs[k] ?? 0);
      }
    }
    for (let k = 0; k < INCREMENTS; k++) {
      const at = o * INCREMENTS + k;
      upRaw[at] = (upRaw[at] ?? 0) * sigmoid(raw[at] ?? 0);
    }
  }
}
