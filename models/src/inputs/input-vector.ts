/**
 * The fixed, mask-aware input vector (after L2C-FNN, Zhang 2025): for each measure the last value, the time since, the
 * slope, the mean and the count, each with a mask bit. What is missing is 0 with its mask bit 0, never a made-up number.
 */

import { SCORES, type Score } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { type History, type ImagingAt, SCORE_SCALE, type ScoreAt } from './history.ts';
import { FDG_GROUPS, MRI_GROUPS } from './region-groups.ts';

export const STAGES = ['normal', 'impaired', 'dementia', 'unknown'] as const;
export type Stage = (typeof STAGES)[number];

/** Names of the inputs in order: part of the model's contract. */
export const INPUT_NAMES: readonly string[] = [
  ...STAGES.map((stage) => `stage.${stage}`),
  ...SCORES.flatMap((score) =>
    ['known', 'last', 'since_years', 'mean', 'count', 'slope_known', 'slope'].map((part) => `${score}.${part}`),
  ),
  'mri.known',
  'mri.since_years',
  ...MRI_GROUPS.map((group) => `mri.${group}`),
  'mri.slope_known',
  'mri.hippocampus_slope',
  'mri.ventricles_slope',
  'fdg.known',
  'fdg.since_years',
  ...FDG_GROUPS.map((group) => `fdg.${group}`),
  'amyloid.known',
  'amyloid.since_years',
  'amyloid.composite',
  ...['age', 'sex', 'education', 'apoe4'].flatMap((name) => [`${name}.known`, name]),
];
export const INPUTS = INPUT_NAMES.length;
/** The stage bits come first, so that the graph can slice them for the stage-wise calibration. */
export const STAGE_INPUTS = STAGES.length;

const last = <T extends { readonly years: number }>(values: readonly T[]): T | undefined =>
  values.reduce<T | undefined>(
    (latest, each) => (latest === undefined || each.years >= latest.years ? each : latest),
    undefined,
  );

const of = (scores: readonly ScoreAt[], score: Score): readonly ScoreAt[] =>
  scores.filter((each) => each.score === score);

/**
 * Clinical stage as the scores show it, for calibration groups and the stage slope: by CDR sum of boxes where known
 * (0, below 4.5, from 4.5: O'Bryant 2008), else by CDR global, MMSE (28, 24) or ADAS-Cog 13 (14, 25).
 */
export function stageOf(scores: readonly ScoreAt[]): Stage {
  const value = (score: Score): number | undefined => last(of(scores, score))?.value;
  const boxes = value('cdr_sob');
  const global = value('cdr_global');
  if (global !== undefined && global >= 1) return 'dementia';
  if (boxes !== undefined) return boxes >= 4.5 ? 'dementia' : boxes >= 1 || global === 0.5 ? 'impaired' : 'normal';
  if (global !== undefined) return global > 0 ? 'impaired' : 'normal';
  const mmse = value('mmse');
  if (mmse !== undefined) return mmse >= 28 ? 'normal' : mmse >= 24 ? 'impaired' : 'dementia';
  const adas = value('adas_cog');
  if (adas !== undefined) return adas < 14 ? 'normal' : adas < 25 ? 'impaired' : 'dementia';
  return 'unknown';
}

/** Least-squares slope per year; undefined under two points or three months. */
function slope(points: readonly (readonly [years: number, value: number])[]): number | undefined {
  const times = points.map(([years]) => years);
  if (points.length < 2 || Math.max(...times) - Math.min(...times) < 0.25) return undefined;
  const meanTime = times.reduce((sum, t) => sum + t, 0) / points.length;
  const meanValue = points.reduce((sum, [, value]) => sum + value, 0) / points.length;
  let up = 0;
  let down = 0;
  for (const [years, value] of points) {
    up += (years - meanTime) * (value - meanValue);
    down += (years - meanTime) ** 2;
  }
  return up / down;
}

/** Beyond four spreads an input says more about a broken pipeline than about a person. */
const clip = (value: number, limit = 4): number => Math.max(-limit, Math.min(limit, value));

function scoreInputs(scores: readonly ScoreAt[], score: Score): number[] {
  const known = of(scores, score);
  const latest = last(known);
  if (!latest) return [0, 0, 0, 0, 0, 0, 0];
  const { centre, spread } = SCORE_SCALE[score];
  const trend = slope(known.map((each) => [each.years, each.value]));
  const mean = known.reduce((sum, each) => sum + each.value, 0) / known.length;
  return [
    1,
    clip((latest.value - centre) / spread, 8),
    clip(-latest.years),
    clip((mean - centre) / spread, 8),
    Math.log1p(known.length) - 1,
    trend === undefined ? 0 : 1,
    trend === undefined ? 0 : clip(trend / spread, 2),
  ];
}

const MRI_SPREAD = 0.2;
const VENTRICLES = MRI_GROUPS.indexOf('ventricles');

function mriInputs(mri: readonly ImagingAt[]): number[] {
  const latest = last(mri);
  if (!latest) return new Array<number>(MRI_GROUPS.length + 5).fill(0);
  const trend = (group: number): number | undefined =>
    slope(mri.map((each) => [each.years, each.groups[group] ?? Number.NaN]));
  const hippocampus = trend(0);
  return [
    1,
    clip(-latest.years),
    ...latest.groups.map((value, k) => clip(value / (k === VENTRICLES ? 3 * MRI_SPREAD : MRI_SPREAD))),
    hippocampus === undefined ? 0 : 1,
    clip((hippocampus ?? 0) / 0.05),
    clip((trend(VENTRICLES) ?? 0) / 0.1),
  ];
}

function petInputs(visits: readonly ImagingAt[], count: number, centre: number, spread: number): number[] {
  const latest = last(visits);
  if (!latest) return new Array<number>(count + 2).fill(0);
  return [1, clip(-latest.years), ...latest.groups.map((value) => clip((value - centre) / spread))];
}

const masked = (value: number | null, scale: (value: number) => number): number[] =>
  value === null ? [0, 0] : [1, clip(scale(value))];

/**
 * @returns Float32Array of INPUTS values in the order of INPUT_NAMES
 * @throws FORECAST_INPUT_INVALID naming the input that is not a finite number
 */
export function inputVector(history: History): Float32Array {
  const stage = stageOf(history.scores);
  const values = [
    ...STAGES.map((each) => (each === stage ? 1 : 0)),
    ...SCORES.flatMap((score) => scoreInputs(history.scores, score)),
    ...mriInputs(history.mri),
    ...petInputs(history.fdg, FDG_GROUPS.length, 1.25, 0.15),
    ...petInputs(history.amyloid, 1, 1.2, 0.2),
    ...masked(history.ageYears, (age) => (age - 75) / 8),
    ...masked(history.sex === null ? null : history.sex === 'female' ? 1 : -1, (sex) => sex),
    ...masked(history.educationYears, (years) => (years - 16) / 3),
    ...masked(history.apoe4, (alleles) => alleles - 0.7),
  ];
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new EngramError('FORECAST_INPUT_INVALID', `the input ${INPUT_NAMES[wrong] ?? ''} is not a finite number`, {
      field: INPUT_NAMES[wrong] ?? '',
    });
  }
  return Float32Array.from(values);
}
