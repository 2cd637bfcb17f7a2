import { expect, test } from 'vitest';
import { progressMeter } from './run-progress.ts';

test('fractions follow the weights, and what is left follows the pace so far', () => {
  const meter = progressMeter({ a: 1, b: 3 });
  expect(meter.update('a', 0, 0)).toEqual({ fraction: 0, secondsLeft: null });
  expect(meter.update('a', 1, 10)).toEqual({ fraction: 0.25, secondsLeft: 30 });
  expect(meter.update('b', 0.5, 5)).toEqual({ fraction: 0.625, secondsLeft: 9 });
  expect(meter.update('b', 1, 10)).toEqual({ fraction: 1, secondsLeft: 0 });
});

test('a result that was found counts as done but says nothing about the pace', () => {
  const meter = progressMeter({ a: 5, b: 5 });
  expect(meter.reuse('a')).toEqual({ fraction: 0.5, secondsLeft: null });
  expect(meter.update('b', 0.5, 10)).toEqual({ fraction: 0.75, secondsLeft: 10 });
});

test('a task that fails does not make the bar run back', () => {
  const meter = progressMeter({ a: 1, b: 1 });
  meter.update('a', 0.8, 4);
  expect(meter.update('a', 0, 5).fraction).toBe(0.4);
});
