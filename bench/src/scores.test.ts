import { describe, expect, test } from 'vitest';
import { dice, labelDice, median, percentError, pointErrors, quantile } from './scores.ts';

describe('scores', () => {
  test('Dice of half-overlapping sets of equal size is a half', () => {
    const a = [1, 1, 0, 0];
    const b = [0, 1, 1, 0];
    expect(
      dice(
        4,
        (at) => a[at] === 1,
        (at) => b[at] === 1,
      ),
    ).toBe(0.5);
  });

  test('a label that only one map holds does not count', () => {
    const { mean, of } = labelDice([1, 1, 2, 0], [1, 1, 3, 0], [1, 2, 3]);
    expect([...of]).toEqual([[1, 1]]);
    expect(mean).toBe(1);
  });

  test('quantiles lie between order statistics as numpy has them', () => {
    expect(quantile([4, 1, 3, 2], 0.95)).toBeCloseTo(3.85, 12);
    expect(median([3, 1, 2])).toBe(2);
  });

  test('a shift by 3, 4, 0 mm is 5 mm off at every point', () => {
    const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const shifted = [1, 0, 0, 3, 0, 1, 0, 4, 0, 0, 1, 0, 0, 0, 0, 1];
    expect(
      pointErrors(identity, shifted, [
        [0, 0, 0],
        [50, -20, 7],
      ]),
    ).toEqual([5, 5]);
    expect(percentError(9, 10)).toBe(10);
  });
});
