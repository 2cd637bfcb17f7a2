import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { History } from './inputs/history.ts';
import { inputVector } from './inputs/input-vector.ts';
import { DEFAULT_MODEL, loadModel, type ProgressionModel } from './load-model.ts';
import { modelCard } from './model-card.ts';
import { outcomesOf } from './outcome.ts';

const folder = fileURLToPath(DEFAULT_MODEL);
let model: ProgressionModel;
let broken: string;
beforeAll(async () => {
  model = await loadModel(folder);
  broken = await mkdtemp(join(tmpdir(), 'model-'));
  await cp(folder, broken, { recursive: true });
});
afterAll(async () => {
  await model.close();
  await rm(broken, { recursive: true });
});

const person: History = {
  ageYears: 76,
  sex: 'female',
  educationYears: 14,
  apoe4: 1,
  scores: [
    { score: 'mmse', years: -1, value: 26 },
    { score: 'mmse', years: 0, value: 24 },
    { score: 'cdr_sob', years: 0, value: 3 },
    { score: 'cdr_global', years: 0, value: 0.5 },
    { score: 'adas_cog', years: 0, value: 24 },
  ],
  mri: [],
  fdg: [],
  amyloid: [],
};
const healthy: History = {
  ...person,
  apoe4: 0,
  scores: [
    { score: 'mmse', years: 0, value: 30 },
    { score: 'cdr_sob', years: 0, value: 0 },
    { score: 'cdr_global', years: 0, value: 0 },
    { score: 'adas_cog', years: 0, value: 7 },
  ],
};
const forecast = async (history: History) =>
  outcomesOf(await model.predict(inputVector(history)), model.manifest.marginal_width_80);

describe('the default model', () => {
  test('forecasts decline for someone impaired and little change for someone well', async () => {
    const [ill, well] = [(await forecast(person)).at(-1), (await forecast(healthy)).at(-1)];
    expect(ill?.scores.mmse.value).toBeLessThan(21);
    expect(ill?.scores.cdr_sob.value).toBeGreaterThan(4);
    expect(ill?.eventProbability).toBeGreaterThan(0.6);
    expect(well?.scores.mmse.value).toBeGreaterThan(27);
    expect(well?.scores.cdr_global.value).toBeLessThanOrEqual(0.5);
    expect(well?.eventProbability).toBeLessThan(0.25);
  });

  test('is less confident the further ahead, and the less it knows', async () => {
    const all = await forecast(person);
    const width = (k: number): number => {
      const interval = all[k]?.scores.mmse.intervals[1];
      return (interval?.upper ?? 0) - (interval?.lower ?? 0);
    };
    expect(width(9)).toBeGreaterThan(width(0));
    const blind = await forecast({ ...person, scores: [] });
    expect(blind[3]?.scores.mmse.confidence).toBeLessThan(all[3]?.scores.mmse.confidence ?? 0);
  });

  test('is monotone where it matters: worse scores now never forecast a better score later', async () => {
    const at = async (mmse: number) =>
      (await forecast({ ...person, scores: [{ score: 'mmse', years: 0, value: mmse }] }))[3]?.scores.mmse.value ?? 0;
    const values = await Promise.all([14, 18, 22, 26, 30].map(at));
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  });

  test('beats last value carried forward and the stage slope on held-out people, for every score from a year on', () => {
    for (const each of model.manifest.metrics.horizons.filter(({ months }) => months >= 12)) {
      expect(each.mae, `${each.score} at ${each.months}`).toBeLessThan(Math.min(each.mae_locf, each.mae_stage_slope));
    }
  });

  test('gains from imaging and from earlier visits, and loses when it sees one MMSE only', () => {
    const mae = (name: string): number =>
      model.manifest.stress.find((each) => each.name === name)?.mae[2] ?? Number.NaN;
    const full = mae('people with imaging, everything known');
    expect(full).toBeLessThan(mae('the same people, imaging masked'));
    expect(full).toBeLessThan(mae('the same people, latest visit only'));
    expect(mae('people with an MMSE, everything known')).toBeLessThan(
      mae('the same people, age, sex and one MMSE only'),
    );
  });

  test('covers held-out people at its stated levels', () => {
    for (const each of model.manifest.metrics.horizons) {
      const [half = 0, most = 0, nearly = 0] = each.coverage;
      // CDR global has five values: an interval between two of them covers more than its level.
      const slack = each.score === 'cdr_global' ? 0.15 : 0.06;
      expect(half, `${each.score} ${each.months}`).toBeGreaterThan(0.5 - 0.04);
      expect(half, `${each.score} ${each.months}`).toBeLessThan(0.5 + slack + 0.05);
      expect(Math.abs(most - 0.8), `${each.score} ${each.months}`).toBeLessThan(slack);
      expect(Math.abs(nearly - 0.9), `${each.score} ${each.months}`).toBeLessThan(slack);
    }
  });

  test('has a card made from its manifest, and a size that stays small', async () => {
    expect(model.card).toBe(modelCard(model.manifest));
    expect(model.manifest.bytes).toBeLessThan(300_000);
  });

  test('refuses an input that is not a number', async () => {
    const input = inputVector(person);
    input[7] = Number.NaN;
    await expect(model.predict(input)).rejects.toMatchObject({ code: 'FORECAST_INPUT_INVALID' });
  });
});

describe('a model folder is refused', () => {
  test('when a byte of the model changed', async () => {
    const bytes = await readFile(join(folder, 'model.onnx'));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(join(broken, 'model.onnx'), bytes);
    await expect(loadModel(broken)).rejects.toMatchObject({ code: 'MODEL_CORRUPT', file: 'model.onnx' });
    await cp(join(folder, 'model.onnx'), join(broken, 'model.onnx'));
  });

  test('when it was trained for another list of inputs', async () => {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    manifest.input.names.reverse();
    await writeFile(join(broken, 'manifest.json'), JSON.stringify(manifest));
    await expect(loadModel(broken)).rejects.toMatchObject({ code: 'MODEL_INVALID', field: 'input.names' });
  });

  test('when the runtime does not reproduce its golden case', async () => {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    manifest.golden.quantiles[0] += 1;
    await writeFile(join(broken, 'manifest.json'), JSON.stringify(manifest));
    await expect(loadModel(broken)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});
