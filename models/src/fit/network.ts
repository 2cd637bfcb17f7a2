/**
 * The forecaster's layers and their reference arithmetic in plain TypeScript: the oracle of the exported graph.
 *
 * x [F] → two ReLU layers → centre = linear skip of x + head, six softplus increments per output make seven ordered
 * quantiles; a discrete hazard per horizon makes a cumulative, hence monotone, event probability.
 */
import { HORIZONS_MONTHS, SCORES } from '@engram/contracts';
import { SCORE_RANGE, SCORE_SCALE } from '../inputs/history.ts';
import { INPUTS, STAGE_INPUTS } from '../inputs/input-vector.ts';

export const QUANTILES = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95] as const;
export const HORIZONS = HORIZONS_MONTHS.length;
/** Horizon-major: output `h * 4 + s`. */
export const OUTPUTS = HORIZONS * SCORES.length;
export const INCREMENTS = 6;
const MEDIAN = 3;

/** Which increments a quantile adds (+1) or takes (-1): rows increments (up 1-3, down 1-3), columns quantiles. */
export const INCREMENT_SIGNS: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 1, 1, 1],
  [0, 0, 0, 0, 0, 1, 1],
  [0, 0, 0, 0, 0, 0, 1],
  [-1, -1, -1, 0, 0, 0, 0],
  [-1, -1, 0, 0, 0, 0, 0],
  [-1, 0, 0, 0, 0, 0, 0],
];

/** Row-major `[inputs, outputs]` weights with a bias. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

export interface Network {
  readonly first: Layer;
  readonly second: Layer;
  readonly centre: Layer;
  /** Ridge regression of the change-aware linear baseline; not trained further. */
  readonly skip: Layer;
  readonly increments: Layer;
  readonly hazard: Layer;
  /** Stage-wise conformal shift of each quantile, `[stage, output * 7 + quantile]`, in scaled units. */
  readonly conformal: Float64Array;
}

export const layer = (inputs: number, outputs: number): Layer => ({
  inputs,
  outputs,
  weights: new Float64Array(inputs * outputs),
  bias: new Float64Array(outputs),
});

/** y = x W + b */
export function affine({ inputs, outputs, weights, bias }: Layer, x: ArrayLike<number>, y: Float64Array): void {
  y.set(bias);
  for (let i = 0; i < inputs; i++) {
    const value = x[i] ?? 0;
    if (value === 0) continue;
    const row = i * outputs;
    for (let o = 0; o < outputs; o++) y[o] = (y[o] ?? 0) + value * (weights[row + o] ?? 0);
  }
}

export const softplus = (value: number): number => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));

const outputScore = (output: number) => SCORES[output % SCORES.length] ?? 'mmse';
export const outputScale = (output: number) => SCORE_SCALE[outputScore(output)];
export const outputRange = (output: number) => SCORE_RANGE[outputScore(output)];

export interface Prediction {
  /** `[output * 7 + quantile]` in points of the score, inside its range. */
  readonly quantiles: Float64Array;
  /** P(CDR global reached 1 by the horizon), non-decreasing. */
  readonly event: Float64Array;
}

/** Quantiles in scaled units before calibration, `[output * 7 + quantile]`. */
export function scaledQuantiles(centre: Float64Array, increments: Float64Array): Float64Array {
  const quantiles = new Float64Array(OUTPUTS * QUANTILES.length);
  for (let o = 0; o < OUTPUTS; o++) {
    for (let q = 0; q < QUANTILES.length; q++) {
      let value = centre[o] ?? 0;
      for (let k = 0; k < INCREMENTS; k++) {
        value += (INCREMENT_SIGNS[k]?.[q] ?? 0) * (increments[o * INCREMENTS + k] ?? 0);
      }
      quantiles[o * QUANTILES.length + q] = value;
    }
  }
  return quantiles;
}

/** The whole forward pass; the exported graph must agree with it to single precision. */
export function predict(network: Network, x: ArrayLike<number>): Prediction {
  const first = new Float64Array(network.first.outputs);
  const second = new Float64Array(network.second.outputs);
  const centre = new Float64Array(OUTPUTS);
  const skip = new Float64Array(OUTPUTS);
  const increments = new Float64Array(OUTPUTS * INCREMENTS);
  const hazard = new Float64Array(HORIZONS);
  affine(network.first, x, first);
  affine(
    network.second,
    first.map((value) => Math.max(0, value)),
    second,
  );
  const hidden = second.map((value) => Math.max(0, value));
  affine(network.centre, hidden, centre);
  affine(network.skip, x, skip);
  affine(network.increments, hidden, increments);
  affine(network.hazard, hidden, hazard);
  const quantiles = scaledQuantiles(
    centre.map((value, o) => value + (skip[o] ?? 0)),
    increments.map(softplus),
  );
  for (let k = 0; k < quantiles.length; k++) {
    const output = Math.floor(k / QUANTILES.length);
    let shift = 0;
    for (let s = 0; s < STAGE_INPUTS; s++) shift += (x[s] ?? 0) * (network.conformal[s * quantiles.length + k] ?? 0);
    const { centre: origin, spread } = outputScale(output);
    const [low, high] = outputRange(output);
    quantiles[k] = Math.min(high, Math.max(low, ((quantiles[k] ?? 0) + shift) * spread + origin));
  }
  let cumulative = 0;
  const event = hazard.map((value) => {
    cumulative += softplus(value);
    return 1 - Math.exp(-cumulative);
  });
  return { quantiles, event };
}

export const medianOf = (prediction: Prediction, output: number): number =>
  prediction.quantiles[output * QUANTILES.length + MEDIAN] ?? Number.NaN;

export const emptyNetwork = (hidden: number): Network => ({
  first: layer(INPUTS, hidden),
  second: layer(hidden, hidden),
  centre: layer(hidden, OUTPUTS),
  skip: layer(INPUTS, OUTPUTS),
  increments: layer(hidden, OUTPUTS * INCREMENTS),
  hazard: layer(hidden, HORIZONS),
  conformal: new Float64Array(STAGE_INPUTS * OUTPUTS * QUANTILES.length),
});

/** Single precision, as the exported graph stores it: the reference must be fed the same numbers. */
export function rounded(network: Network): Network {
  const round = (each: Layer): Layer => ({
    ...each,
    weights: Float64Array.from(Float32Array.from(each.weights)),
    bias: Float64Array.from(Float32Array.from(each.bias)),
  });
  return {
    first: round(network.first),
    second: round(network.second),
    centre: round(network.centre),
    skip: round(network.skip),
    increments: round(network.increments),
    hazard: round(network.hazard),
    conformal: Float64Array.from(Float32Array.from(network.conformal)),
  };
}
