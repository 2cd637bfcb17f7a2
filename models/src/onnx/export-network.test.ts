import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { emptyNetwork, type Network, OUTPUTS, predict, QUANTILES, rounded } from '../fit/network.ts';
import type { History } from '../inputs/history.ts';
import { INPUTS, inputVector } from '../inputs/input-vector.ts';
import { seededRandom } from '../random.ts';
import { simulateExample } from '../simulate/cohort.ts';
import { EVENT_OUTPUT, exportNetwork, INPUT_NAME, QUANTILE_OUTPUT } from './export-network.ts';

const random = seededRandom(3);

function randomNetwork(): Network {
  const network = emptyNetwork(12);
  for (const layer of [
    network.first,
    network.second,
    network.centre,
    network.skip,
    network.increments,
    network.hazard,
  ]) {
    for (let k = 0; k < layer.weights.length; k++) layer.weights[k] = random.normal(0, 0.2);
    for (let k = 0; k < layer.bias.length; k++) layer.bias[k] = random.normal(0, 0.2);
  }
  for (let k = 0; k < network.conformal.length; k++) network.conformal[k] = random.normal(0, 0.05);
  return rounded(network);
}

const nothing: History = {
  ageYears: null,
  sex: null,
  educationYears: null,
  apoe4: null,
  scores: [],
  mri: [],
  fdg: [],
  amyloid: [],
};
const network = randomNetwork();
let session: InferenceSession;
beforeAll(async () => {
  session = await InferenceSession.create(exportNetwork(network, { purpose: 'test' }));
});

async function onnx(rows: readonly Float32Array[]) {
  const flat = Float32Array.from(rows.flatMap((row) => [...row]));
  const answer = await session.run({ [INPUT_NAME]: new Tensor('float32', flat, [rows.length, INPUTS]) });
  const [quantiles, event] = [answer[QUANTILE_OUTPUT], answer[EVENT_OUTPUT]];
  if (!quantiles || !event) throw new Error('an output is missing');
  return { quantiles, event };
}

describe('the exported graph', () => {
  test('answers what the reference arithmetic answers, for a batch of people', async () => {
    const rows = Array.from({ length: 20 }, () => inputVector(simulateExample(random).history));
    const { quantiles, event } = await onnx(rows);
    expect(quantiles.dims).toEqual([20, 10, 4, 7]);
    rows.forEach((row, k) => {
      const expected = predict(network, row);
      const width = OUTPUTS * QUANTILES.length;
      // Single precision over sums of about a hundred terms of points up to 85.
      expected.quantiles.forEach((value, j) => {
        expect(Math.abs(Number(quantiles.data[k * width + j]) - value)).toBeLessThan(1e-3);
      });
      expected.event.forEach((value, j) => {
        expect(Math.abs(Number(event.data[k * 10 + j]) - value)).toBeLessThan(1e-5);
      });
    });
  });

  test('is finite when nothing at all is known', async () => {
    const { quantiles, event } = await onnx([inputVector(nothing)]);
    expect([...quantiles.data, ...event.data].every((value) => Number.isFinite(Number(value)))).toBe(true);
  });

  test('never lets an event probability fall with the horizon', async () => {
    const { event } = await onnx([inputVector(simulateExample(random).history)]);
    for (let h = 1; h < 10; h++) expect(Number(event.data[h])).toBeGreaterThanOrEqual(Number(event.data[h - 1]));
  });
});

test('equal networks are equal bytes', () => {
  expect(exportNetwork(network, { a: '1' })).toEqual(exportNetwork(network, { a: '1' }));
});
