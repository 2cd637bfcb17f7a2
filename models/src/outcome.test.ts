import { HORIZONS_MONTHS, SCORES } from '@engram/contracts';
import { expect, test } from 'vitest';
import type { Prediction } from './fit/network.ts';
import { CDR_LEVELS, globalOfBoxes, outcomesOf } from './outcome.ts';
import { seededRandom } from './random.ts';

const random = seededRandom(11);
const spans = { mmse: 30, cdr_global: 3, cdr_sob: 18, adas_cog: 85 } as const;

function randomPrediction(): Prediction {
  const quantiles = new Float64Array(HORIZONS_MONTHS.length * SCORES.length * 7);
  for (let o = 0; o < HORIZONS_MONTHS.length * SCORES.length; o++) {
    const span = spans[SCORES[o % SCORES.length] ?? 'mmse'];
    const drawn = Array.from({ length: 7 }, () => random.uniform() * span).sort((a, b) => a - b);
    // Two quantiles crossed, as calibration may leave them.
    [drawn[0], drawn[1]] = [drawn[1] ?? 0, drawn[0] ?? 0];
    quantiles.set(drawn, o * 7);
  }
  return { quantiles, event: Float64Array.from(HORIZONS_MONTHS, () => random.uniform()) };
}

test('whatever the quantiles: values in range, intervals nested around them, CDR scores coherent, probabilities rising', () => {
  for (let k = 0; k < 60; k++) {
    const outcomes = outcomesOf(randomPrediction(), new Array<number>(40).fill(10));
    outcomes.forEach((outcome, h) => {
      for (const score of SCORES) {
        const { value, intervals, confidence } = outcome.scores[score];
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(spans[score]);
        expect(confidence).toBeGreaterThanOrEqual(0);
        expect(confidence).toBeLessThanOrEqual(1);
        intervals.forEach(({ lower, upper }, level) => {
          expect(lower).toBeLessThanOrEqual(value);
          expect(upper).toBeGreaterThanOrEqual(value);
          expect(lower).toBeLessThanOrEqual(intervals[level - 1]?.lower ?? value);
          expect(upper).toBeGreaterThanOrEqual(intervals[level - 1]?.upper ?? value);
        });
      }
      const global = outcome.scores.cdr_global.value;
      const boxes = Math.round(outcome.scores.cdr_sob.value * 2) / 2;
      const levels: readonly number[] = CDR_LEVELS;
      expect(levels).toContain(global);
      if (boxes === 0) expect(global).toBe(0);
      if (boxes >= 1) expect(global).toBeGreaterThan(0);
      expect(Math.abs(levels.indexOf(global) - levels.indexOf(globalOfBoxes(boxes)))).toBeLessThanOrEqual(1);
      expect(outcome.eventProbability).toBeGreaterThanOrEqual(outcomes[h - 1]?.eventProbability ?? 0);
    });
  }
});

test('CDR global is read off the sum of boxes as O’Bryant published it', () => {
  expect([0, 0.5, 4, 4.5, 9, 9.5, 15.5, 16, 18].map(globalOfBoxes)).toEqual([0, 0.5, 0.5, 1, 1, 2, 2, 3, 3]);
});
