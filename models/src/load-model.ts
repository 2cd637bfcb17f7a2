/** Loads a model once, checks it against its manifest, and keeps it warm. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import { readModelFolder } from '@engram/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Prediction } from './fit/network.ts';
import { INPUTS } from './inputs/input-vector.ts';
import { contractBreak, type ModelManifest, modelManifest } from './manifest.ts';

export interface ProgressionModel {
  readonly manifest: ModelManifest;
  /** Text of MODEL_CARD.md, for whoever passes the forecast on. */
  readonly card: string;
  /** @throws FORECAST_INPUT_INVALID when a value is not a finite number. */
  predict(input: Float32Array): Promise<Prediction>;
  close(): Promise<void>;
}

/** The model that this repository's code trained on the simulated cohort. */
export const DEFAULT_MODEL = new URL('../progression/', import.meta.url);

/** Points; single precision through two runtimes' orders of summation. */
const GOLDEN_TOLERANCE = 5e-3;

/**
 * @param folder holds manifest.json, the ONNX file it names and MODEL_CARD.md
 * @throws MODEL_CORRUPT when the file's sha256 is not the manifest's; MODEL_INVALID when the contract does not fit or the
 * runtime does not reproduce the manifest's golden case
 */
export async function loadModel(folder: string): Promise<ProgressionModel> {
  const { manifest, bytes } = await readModelFolder(folder, modelManifest);
  const field = contractBreak(manifest);
  if (field) {
    throw new EngramError('MODEL_INVALID', `the model was trained for another ${field}`, {
      file: 'manifest.json',
      field,
    });
  }
  const card = await readFile(join(folder, 'MODEL_CARD.md'), 'utf8');
  // One thread: a forecast takes microseconds, and a pool of spinning threads would steal them from the images.
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const { name: quantilesName } = manifest.outputs.quantiles;
  const { name: eventName } = manifest.outputs.event;

  const predict = async (input: Float32Array): Promise<Prediction> => {
    const wrong = input.findIndex((value) => !Number.isFinite(value));
    if (input.length !== INPUTS || wrong >= 0) {
      const name = manifest.input.names[wrong] ?? 'features';
      throw new EngramError('FORECAST_INPUT_INVALID', `the input ${name} is not a finite number`, { field: name });
    }
    const answer = await session.run({ [manifest.input.name]: new Tensor('float32', input, [1, INPUTS]) });
    const quantiles = answer[quantilesName]?.data;
    const event = answer[eventName]?.data;
    if (!(quantiles instanceof Float32Array && event instanceof Float32Array)) {
      throw new EngramError('MODEL_INVALID', 'the model does not give the outputs of its manifest', {
        file: manifest.file,
      });
    }
    return { quantiles: Float64Array.from(quantiles), event: Float64Array.from(event) };
  };

  const golden = await predict(Float32Array.from(manifest.golden.input));
  const off = (values: Float64Array, expected: readonly number[]): boolean =>
    values.length !== expected.length ||
    values.some((value, k) => !(Math.abs(value - (expected[k] ?? Number.NaN)) < GOLDEN_TOLERANCE));
  if (off(golden.quantiles, manifest.golden.quantiles) || off(golden.event, manifest.golden.event_probability)) {
    throw new EngramError('MODEL_INVALID', 'the runtime does not reproduce the golden case of the manifest', {
      file: manifest.file,
    });
  }
  return { manifest, card, predict, close: () => session.release() };
}
