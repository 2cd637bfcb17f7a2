import { AAL_93, CONSTANT_PET_REGIONS, regionIndex } from '@engram/contracts';
import { describe, expect, test } from 'vitest';
import type { History } from './history.ts';
import { INPUT_NAMES, INPUTS, inputVector, stageOf } from './input-vector.ts';
import {
  amyloidIndices,
  amyloidMean,
  fdgGroupIndices,
  mriGroupIndices,
  mriGroupRatios,
  tracerKind,
} from './region-groups.ts';

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
const at = (vector: Float32Array, name: string): number => vector[INPUT_NAMES.indexOf(name)] ?? Number.NaN;

describe('the input vector', () => {
  test('has a name for every position, and no name twice', () => {
    expect(inputVector(nothing)).toHaveLength(INPUTS);
    expect(new Set(INPUT_NAMES).size).toBe(INPUTS);
  });

  test('of someone of whom nothing is known is all zero but the unknown stage', () => {
    const vector = inputVector(nothing);
    expect(at(vector, 'stage.unknown')).toBe(1);
    expect(vector.filter((value) => value !== 0)).toHaveLength(1);
  });

  test('holds last value, time since, mean and slope of a score', () => {
    const vector = inputVector({
      ...nothing,
      scores: [
        { score: 'mmse', years: -2, value: 28 },
        { score: 'mmse', years: -1, value: 26 },
      ],
    });
    expect(at(vector, 'mmse.last')).toBe(0); // 26 is the centre
    expect(at(vector, 'mmse.since_years')).toBe(1);
    expect(at(vector, 'mmse.mean')).toBeCloseTo(0.25);
    expect(at(vector, 'mmse.slope')).toBeCloseTo(-0.5); // -2 points a year over a spread of 4
  });

  test('does not depend on the order in which scores were recorded', () => {
    const scores = [
      { score: 'mmse' as const, years: -2, value: 28 },
      { score: 'mmse' as const, years: -1, value: 26 },
    ];
    expect(inputVector({ ...nothing, scores: scores.toReversed() })).toEqual(inputVector({ ...nothing, scores }));
  });

  test('refuses a value that is not a finite number, by name', () => {
    const scores = [{ score: 'mmse' as const, years: 0, value: Number.NaN }];
    expect(() => inputVector({ ...nothing, scores })).toThrow(/mmse/);
    const mri = [{ years: 0, groups: new Array<number>(12).fill(Number.NaN) }];
    expect(() => inputVector({ ...nothing, mri })).toThrow(/mri\.hippocampus/);
  });
});

test('stages follow the scores that are known, best first', () => {
  expect(stageOf([])).toBe('unknown');
  expect(stageOf([{ score: 'mmse', years: 0, value: 29 }])).toBe('normal');
  expect(stageOf([{ score: 'cdr_sob', years: 0, value: 4.5 }])).toBe('dementia');
  expect(
    stageOf([
      { score: 'cdr_sob', years: 0, value: 2 },
      { score: 'mmse', years: 0, value: 30 },
    ]),
  ).toBe('impaired');
});

describe('region groups', () => {
  test('cover all 90 cerebral regions once and no cerebellar one', () => {
    const indices = Object.values(mriGroupIndices).flat();
    expect(indices.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, k) => k));
  });

  test('of PET leave out the regions that are 1 by construction', () => {
    const fixed = CONSTANT_PET_REGIONS.map(regionIndex);
    for (const index of [...Object.values(fdgGroupIndices).flat(), ...amyloidIndices])
      expect(fixed).not.toContain(index);
    const suvr = AAL_93.regions.map((_, k) => (fixed.includes(k) ? 1000 : 1.3));
    expect(amyloidMean(suvr)).toBeCloseTo(1.3);
  });

  test('do not change with head size when every volume grows with it', () => {
    const volumes = AAL_93.regions.map((_, k) => 2000 + 10 * k);
    const larger = volumes.map((volume) => volume * 1.2);
    const [a, b] = [mriGroupRatios(volumes, 1400, 30), mriGroupRatios(larger, 1400 * 1.2, 36)];
    a.forEach((value, k) => {
      expect(b[k]).toBeCloseTo(value, 10);
    });
  });
});

test('a tracer is recognised by its usual names and never guessed', () => {
  expect(['18F-FDG', 'Fluorodeoxyglucose F^18^', '[18F]AV45', 'Florbetapir', '11C-PIB'].map(tracerKind)).toEqual([
    'fdg',
    'fdg',
    'amyloid',
    'amyloid',
    'amyloid',
  ]);
  expect([null, '', 'AV1451', 'flortaucipir'].map(tracerKind)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
});
