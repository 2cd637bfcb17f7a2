/** Cohort to network: ridge, quantile network on its residual, stage-wise conformal calibration on other people. */
import { SCORES } from '@engram/contracts';
import { SCORE_SCALE } from '../inputs/history.ts';
import { INPUTS, inputVector, STAGE_INPUTS } from '../inputs/input-vector.ts';
import type { Random } from '../random.ts';
import type { Example } from '../simulate/cohort.ts';
import { calibrate } from './conformal.ts';
import { affine, type Network, OUTPUTS, rounded, scaledQuantiles, softplus } from './network.ts';
import { fitRidge, linearPart } from './ridge.ts';
import { type TrainingOptions, trainNetwork } from './train-network.ts';

export interface FitOptions extends TrainingOptions {
  readonly ridge: number;
}

export const FIT_DEFAULTS: FitOptions = { hidden: 48, epochs: 24, batch: 64, rate: 2e-3, ridge: 3 };

/** Targets on the common scale, `[output]`. */
export function scaledTargets(example: Example): Float64Array {
  return example.targets.map((value, o) => {
    const { centre, spread } = SCORE_SCALE[SCORES[o % SCORES.length] ?? 'mmse'];
    return (value - centre) / spread;
  });
}

/** Quantiles before calibration, in scaled units. */
function uncalibrated(network: Network, x: Float32Array): Float64Array {
  const first = new Float64Array(network.first.outputs);
  const second = new Float64Array(network.second.outputs);
  const centre = new Float64Array(OUTPUTS);
  const increments = new Float64Array(network.increments.outputs);
  affine(network.first, x, first);
  affine(
    network.second,
    first.map((value) => Math.max(0, value)),
    second,
  );
  const hidden = second.map((value) => Math.max(0, value));
  affine(network.centre, hidden, centre);
  affine(network.increments, hidden, increments);
  const linear = linearPart(network.skip, x);
  return scaledQuantiles(
    centre.map((value, o) => value + (linear[o] ?? 0)),
    increments.map(softplus),
  );
}

/**
 * @param training people the weights are fitted on
 * @param calibration other people, whom the intervals are calibrated on
 * @returns weights rounded to single precision, as the exported graph holds them
 */
export function fitNetwork(
  training: readonly Example[],
  calibration: readonly Example[],
  options: FitOptions,
  random: Random,
): Network {
  const inputs = training.map((example) => inputVector(example.history));
  const targets = training.map(scaledTargets);
  const skip = fitRidge(inputs, OUTPUTS, (row, output) => targets[row]?.[output] ?? Number.NaN, options.ridge);
  const rows = training.map((example, k) => {
    const x = inputs[k] ?? new Float32Array(INPUTS);
    const linear = linearPart(skip, x);
    const residual = (targets[k] ?? new Float64Array(OUTPUTS)).map((value, o) => value - (linear[o] ?? 0));
    return { x, residual, event: example.event, followed: example.followed };
  });
  const network = rounded(trainNetwork(rows, skip, options, random));
  const shifts = calibrate(
    calibration.map((example) => {
      const x = inputVector(example.history);
      return {
        stage: x.subarray(0, STAGE_INPUTS).indexOf(1),
        quantiles: uncalibrated(network, x),
        targets: scaledTargets(example),
      };
    }),
  );
  return rounded({ ...network, conformal: shifts });
}
