import { expect, test } from 'vitest';
import { contractBreak, modelManifest } from './manifest.ts';
import { trainProgression } from './train-progression.ts';
import { SMALL_FIT } from './train-small.fixture.ts';

const first = trainProgression(SMALL_FIT);

test('the same options train the same bytes, and another seed trains others', () => {
  expect(trainProgression(SMALL_FIT)).toEqual(first);
  expect(trainProgression({ ...SMALL_FIT, seed: 6 }).manifest.sha256).not.toBe(first.manifest.sha256);
});

test('a trained manifest fits its schema and this version’s contract', () => {
  expect(modelManifest.parse(first.manifest)).toEqual(first.manifest);
  expect(contractBreak(first.manifest)).toBeUndefined();
  expect(first.card).toContain('SIMULATED cohort');
});

test('even a small model forecasts four years ahead better than carrying the last value forward', () => {
  for (const each of first.manifest.metrics.horizons.filter(({ months }) => months === 48)) {
    expect(each.mae, each.score).toBeLessThan(each.mae_locf);
  }
});
