/** The network as an ONNX graph: operators of opset 17 that every runtime has; no attention, hence no NaN on masks. */
import { SCORES } from '@engram/contracts';
import { encodeModel, floats, integers, node, type Tensor } from '@engram/onnx';
import {
  HORIZONS,
  INCREMENT_SIGNS,
  INCREMENTS,
  type Layer,
  type Network,
  OUTPUTS,
  outputRange,
  outputScale,
  QUANTILES,
} from '../fit/network.ts';
import { INPUTS, STAGE_INPUTS } from '../inputs/input-vector.ts';

export const INPUT_NAME = 'features';
export const QUANTILE_OUTPUT = 'quantiles';
export const EVENT_OUTPUT = 'event_probability';

const layerTensors = (name: string, layer: Layer): Tensor[] => [
  floats(`${name}.weights`, [layer.inputs, layer.outputs], layer.weights),
  floats(`${name}.bias`, [layer.outputs], layer.bias),
];

const gemm = (name: string, input: string): Uint8Array =>
  node('Gemm', [input, `${name}.weights`, `${name}.bias`], name);

const perOutput = (value: (output: number) => number): Float64Array =>
  Float64Array.from({ length: OUTPUTS }, (_, output) => value(output));

/** Upper triangle of ones: hazards to cumulative hazards. */
const cumulative = Float64Array.from({ length: HORIZONS * HORIZONS }, (_, k) =>
  Math.floor(k / HORIZONS) <= k % HORIZONS ? 1 : 0,
);

/**
 * @returns bytes of a model with input `features` [n, INPUTS] and outputs `quantiles` [n, horizon, score, quantile] in
 * points and `event_probability` [n, horizon]
 */
export function exportNetwork(network: Network, metadata: Readonly<Record<string, string>>): Uint8Array {
  const tensors: Tensor[] = [
    ...layerTensors('first', network.first),
    ...layerTensors('second', network.second),
    ...layerTensors('centre', network.centre),
    ...layerTensors('skip', network.skip),
    ...layerTensors('increments', network.increments),
    ...layerTensors('hazard', network.hazard),
    floats('conformal.weights', [STAGE_INPUTS, OUTPUTS * QUANTILES.length], network.conformal),
    floats('signs', [INCREMENTS, QUANTILES.length], INCREMENT_SIGNS.flat()),
    floats(
      'spread',
      [OUTPUTS, 1],
      perOutput((o) => outputScale(o).spread),
    ),
    floats(
      'origin',
      [OUTPUTS, 1],
      perOutput((o) => outputScale(o).centre),
    ),
    floats(
      'lowest',
      [OUTPUTS, 1],
      perOutput((o) => outputRange(o)[0]),
    ),
    floats(
      'highest',
      [OUTPUTS, 1],
      perOutput((o) => outputRange(o)[1]),
    ),
    floats('cumulative', [HORIZONS, HORIZONS], cumulative),
    floats('one', [], [1]),
    integers('slice.start', [0]),
    integers('slice.end', [STAGE_INPUTS]),
    integers('slice.axis', [1]),
    integers('shape.centre', [-1, OUTPUTS, 1]),
    integers('shape.increments', [-1, OUTPUTS, INCREMENTS]),
    integers('shape.flat', [-1, OUTPUTS, QUANTILES.length]),
    integers('shape.quantiles', [-1, HORIZONS, SCORES.length, QUANTILES.length]),
  ];
  const nodes = [
    gemm('first', INPUT_NAME),
    node('Relu', ['first'], 'first.active'),
    gemm('second', 'first.active'),
    node('Relu', ['second'], 'hidden'),
    gemm('centre', 'hidden'),
    gemm('skip', INPUT_NAME),
    node('Add', ['centre', 'skip'], 'median'),
    node('Reshape', ['median', 'shape.centre'], 'median.column'),
    gemm('increments', 'hidden'),
    node('Softplus', ['increments'], 'increments.positive'),
    node('Reshape', ['increments.positive', 'shape.increments'], 'increments.rows'),
    node('MatMul', ['increments.rows', 'signs'], 'offsets'),
    node('Add', ['median.column', 'offsets'], 'uncalibrated'),
    node('Slice', [INPUT_NAME, 'slice.start', 'slice.end', 'slice.axis'], 'stage'),
    node('MatMul', ['stage', 'conformal.weights'], 'conformal'),
    node('Reshape', ['conformal', 'shape.flat'], 'conformal.rows'),
    node('Add', ['uncalibrated', 'conformal.rows'], 'scaled'),
    node('Mul', ['scaled', 'spread'], 'spreaded'),
    node('Add', ['spreaded', 'origin'], 'points'),
    node('Max', ['points', 'lowest'], 'points.floored'),
    node('Min', ['points.floored', 'highest'], 'points.clipped'),
    node('Reshape', ['points.clipped', 'shape.quantiles'], QUANTILE_OUTPUT),
    gemm('hazard', 'hidden'),
    node('Softplus', ['hazard'], 'hazard.positive'),
    node('MatMul', ['hazard.positive', 'cumulative'], 'hazard.cumulative'),
    node('Neg', ['hazard.cumulative'], 'hazard.negative'),
    node('Exp', ['hazard.negative'], 'survival'),
    node('Sub', ['one', 'survival'], EVENT_OUTPUT),
  ];
  return encodeModel(
    {
      name: 'engram-progression',
      nodes,
      tensors,
      inputs: [[INPUT_NAME, ['n', INPUTS]]],
      outputs: [
        [QUANTILE_OUTPUT, ['n', HORIZONS, SCORES.length, QUANTILES.length]],
        [EVENT_OUTPUT, ['n', HORIZONS]],
      ],
    },
    metadata,
  );
}
