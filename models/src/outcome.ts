/**
 * From quantiles to a forecast in points: the median as the score is reported, nested intervals rounded outward, and the
 * scores made coherent with each other.
 */
import { HORIZONS_MONTHS, SCORES, type Score } from '@engram/contracts';
import { INTERVALS } from './fit/conformal.ts';
import { type Prediction, QUANTILES } from './fit/network.ts';
import { SCORE_RANGE } from './inputs/history.ts';

export interface Interval {
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
}

export interface ScoreOutcome {
  readonly value: number;
  /** Levels 0.5, 0.8, 0.9; each holds the one before. */
  readonly intervals: readonly Interval[];
  /** 1 - width of the 80 % interval / that of an uninformed forecast, within 0 and 1. */
  readonly confidence: number;
}

export interface HorizonOutcome {
  readonly months: (typeof HORIZONS_MONTHS)[number];
  readonly scores: Readonly<Record<Score, ScoreOutcome>>;
  /** P(CDR global of 1 or more reached by then). */
  readonly eventProbability: number;
}

export const CDR_LEVELS = [0, 0.5, 1, 2, 3] as const;
const MEDIAN = 3;

const nearestLevel = (value: number): number =>
  CDR_LEVELS.reduce<number>((best, level) => (Math.abs(level - value) < Math.abs(best - value) ? level : best), 0);
const levelBelow = (value: number): number => CDR_LEVELS.findLast((level) => level <= value + 1e-9) ?? 0;
const levelAbove = (value: number): number => CDR_LEVELS.find((level) => level >= value - 1e-9) ?? 3;

/** CDR global that O'Bryant 2008 (Arch Neurol 65:1091) reads off a sum of boxes. */
export const globalOfBoxes = (boxes: number): number =>
  boxes === 0 ? 0 : boxes <= 4 ? 0.5 : boxes <= 9 ? 1 : boxes <= 15.5 ? 2 : 3;

/** Smallest step in which a score is given; forecasts of the two long scales are given to a tenth of a point. */
const STEP: Readonly<Record<Score, number>> = { mmse: 0.1, cdr_global: 0.5, cdr_sob: 0.1, adas_cog: 0.1 };
const toStep = (value: number, step: number, round: (x: number) => number): number =>
  Number((round(value / step - (round === Math.ceil ? 1e-9 : -1e-9)) * step).toFixed(1));

function bounds(score: Score, lower: number, upper: number): [number, number] {
  if (score === 'cdr_global') return [levelBelow(lower), levelAbove(upper)];
  const [low, high] = SCORE_RANGE[score];
  return [Math.max(low, toStep(lower, STEP[score], Math.floor)), Math.min(high, toStep(upper, STEP[score], Math.ceil))];
}

/**
 * CDR global and sum of boxes must not contradict each other: global 0 goes with boxes that round to 0 or to the half
 * point that a memory-driven global score ignores, and global lies within one level of what the boxes read as.
 */
function coherentGlobal(global: number, boxes: number): number {
  const nearest = Math.round(boxes * 2) / 2;
  if (nearest === 0) return 0;
  const expected = CDR_LEVELS.indexOf(globalOfBoxes(nearest) as (typeof CDR_LEVELS)[number]);
  const index = CDR_LEVELS.indexOf(global as (typeof CDR_LEVELS)[number]);
  const lowest = nearest >= 1 ? Math.max(1, expected - 1) : 0;
  return CDR_LEVELS[Math.max(lowest, Math.min(expected + 1, index))] ?? global;
}

function outcomeOf(score: Score, quantiles: Float64Array, marginal: number): ScoreOutcome {
  // The calibration shifts each level by itself: sorting restores the order where two levels crossed.
  const sorted = Float64Array.from(quantiles).sort();
  const raw = sorted[MEDIAN] ?? Number.NaN;
  const value = score === 'cdr_global' ? nearestLevel(raw) : toStep(raw, STEP[score], Math.round);
  const intervals = INTERVALS.map(({ level, lower, upper }) => {
    const [low, high] = bounds(score, Math.min(sorted[lower] ?? raw, value), Math.max(sorted[upper] ?? raw, value));
    return { lower: low, upper: high, level };
  });
  const width = (sorted[5] ?? 0) - (sorted[1] ?? 0);
  const confidence = marginal > 0 ? Math.max(0, Math.min(1, 1 - width / marginal)) : 0;
  return { value, intervals, confidence: Number(confidence.toFixed(3)) };
}

/** Widened just so far that it holds the value that coherence settled on. */
function withValue(outcome: ScoreOutcome, value: number): ScoreOutcome {
  const intervals = outcome.intervals.map(({ lower, upper, level }) => ({
    lower: Math.min(lower, value),
    upper: Math.max(upper, value),
    level,
  }));
  return { ...outcome, value, intervals };
}

/** @param marginalWidths of the manifest, `[horizon * 4 + score]` */
export function outcomesOf(prediction: Prediction, marginalWidths: readonly number[]): HorizonOutcome[] {
  let probability = 0;
  return HORIZONS_MONTHS.map((months, h) => {
    const of = (score: Score): ScoreOutcome => {
      const output = h * SCORES.length + SCORES.indexOf(score);
      const at = output * QUANTILES.length;
      return outcomeOf(score, prediction.quantiles.subarray(at, at + QUANTILES.length), marginalWidths[output] ?? 0);
    };
    const boxes = of('cdr_sob');
    const global = of('cdr_global');
    probability = Math.max(probability, Math.min(1, Math.max(0, prediction.event[h] ?? 0)));
    return {
      months,
      scores: {
        mmse: of('mmse'),
        cdr_global: withValue(global, coherentGlobal(global.value, boxes.value)),
        cdr_sob: boxes,
        adas_cog: of('adas_cog'),
      },
      eventProbability: Number(probability.toFixed(4)),
    };
  });
}
