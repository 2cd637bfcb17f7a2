/** Training as a function: options in, the three files of a model folder out. Same options, same bytes. */
import { createHash } from 'node:crypto';
import { HORIZONS_MONTHS, SCORES } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { OPSET } from '@engram/onnx';
import { evaluate } from './fit/evaluate.ts';
import { FIT_DEFAULTS, type FitOptions, fitNetwork } from './fit/fit-network.ts';
import { OUTPUTS, predict, QUANTILES } from './fit/network.ts';
import { stress } from './fit/stress.ts';
import { INPUT_NAMES, inputVector } from './inputs/input-vector.ts';
import type { ModelManifest } from './manifest.ts';
import { modelCard } from './model-card.ts';
import { EVENT_OUTPUT, exportNetwork, INPUT_NAME, QUANTILE_OUTPUT } from './onnx/export-network.ts';
import { seededRandom } from './random.ts';
import { type Example, simulateCohort } from './simulate/cohort.ts';
import { examplesOf, parseTable } from './tables/longitudinal-table.ts';

export interface TrainOptions {
  readonly seed: number;
  /** Simulated people to fit on; a quarter as many again calibrate, and as many are held out. */
  readonly people: number;
  readonly fit: FitOptions;
  /** A site's own table instead of the simulation. */
  readonly table?: { readonly name: string; readonly text: string } | undefined;
}

export const TRAIN_DEFAULTS: TrainOptions = { seed: 20261121, people: 16_000, fit: FIT_DEFAULTS };
/** Grows with every change of code or options that changes the bytes. */
export const SIMULATED_MODEL_VERSION = 'engram-progression-1.0.0-simulated';

/** With fewer people a split has too few to calibrate on. */
const SMALLEST_TABLE = 200;

interface Split {
  readonly training: readonly Example[];
  readonly calibration: readonly Example[];
  readonly holdout: readonly Example[];
}

function split(options: TrainOptions): Split & { readonly random: ReturnType<typeof seededRandom> } {
  const random = seededRandom(options.seed);
  if (!options.table) {
    const training = simulateCohort(options.people, random);
    const calibration = simulateCohort(Math.ceil(options.people / 4), random);
    return { training, calibration, holdout: simulateCohort(Math.ceil(options.people / 4), random), random };
  }
  const { name, text } = options.table;
  const examples = examplesOf(parseTable(text, name), random);
  if (examples.length < SMALLEST_TABLE) {
    throw new EngramError(
      'TABLE_INVALID',
      `${name} has ${examples.length} people with follow-up; ${SMALLEST_TABLE} are needed`,
      {
        file: name,
      },
    );
  }
  for (let k = examples.length - 1; k > 0; k--) {
    const j = random.below(k + 1);
    const [a, b] = [examples[k], examples[j]];
    if (a && b) [examples[k], examples[j]] = [b, a];
  }
  const [sixth, two] = [Math.floor(examples.length / 6), Math.floor(examples.length / 6) * 2];
  return {
    holdout: examples.slice(0, sixth),
    calibration: examples.slice(sixth, two),
    training: examples.slice(two),
    random,
  };
}

/** Width of the middle 80 % of each output over everyone: what a forecast that knows nothing would have to say. */
function marginalWidths(examples: readonly Example[]): number[] {
  return Array.from({ length: OUTPUTS }, (_, o) => {
    const values = examples.map((example) => example.targets[o] ?? Number.NaN).filter((value) => !Number.isNaN(value));
    const sorted = Float64Array.from(values).sort();
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return at(0.9) - at(0.1);
  });
}

const round = (values: ArrayLike<number>): number[] => Array.from(values, (value) => Math.round(value * 1e5) / 1e5);

export interface ModelFiles {
  readonly onnx: Uint8Array;
  readonly manifest: ModelManifest;
  readonly card: string;
}

/** @throws TABLE_INVALID when the table cannot be read or has too few people */
export function trainProgression(options: TrainOptions = TRAIN_DEFAULTS): ModelFiles {
  const { training, calibration, holdout, random } = split(options);
  const network = fitNetwork(training, calibration, options.fit, random);
  const source = options.table ? options.table.name : 'simulated';
  const tableDigest = options.table && createHash('sha256').update(options.table.text).digest('hex').slice(0, 12);
  const version = tableDigest ? `engram-progression-1.0.0-table-${tableDigest}` : SIMULATED_MODEL_VERSION;
  const onnx = exportNetwork(network, { model_version: version, calibration_source: source });
  const golden = inputVector(simulateCohort(1, seededRandom(1))[0]?.history ?? training[0]!.history);
  const expected = predict(network, golden);
  const manifest: ModelManifest = {
    schema: 'engram/progression-model/1',
    model_version: version,
    file: 'model.onnx',
    sha256: createHash('sha256').update(onnx).digest('hex'),
    bytes: onnx.length,
    opset: OPSET,
    input: { name: INPUT_NAME, names: [...INPUT_NAMES] },
    outputs: {
      quantiles: { name: QUANTILE_OUTPUT, levels: [...QUANTILES], scores: [...SCORES] },
      event: { name: EVENT_OUTPUT, means: 'P(CDR global of 1 or more has been reached by the horizon)' },
    },
    horizons_months: [...HORIZONS_MONTHS],
    marginal_width_80: round(marginalWidths(training)),
    calibration_source: source,
    training: {
      source,
      seed: options.seed,
      people: training.length,
      calibration_people: calibration.length,
    },
    metrics: evaluate(network, holdout, training),
    stress: stress(network, holdout),
    golden: {
      input: [...golden],
      quantiles: round(expected.quantiles),
      event_probability: round(expected.event),
    },
  };
  return { onnx, manifest, card: modelCard(manifest) };
}
