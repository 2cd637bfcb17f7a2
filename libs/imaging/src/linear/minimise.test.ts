import { expect, test } from 'vitest';
import { minimise } from './minimise.ts';

test("Rosenbrock's valley is followed to its end", () => {
  const found = minimise(
    ([x, y]) => ({
      value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
      gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
    }),
    [-1.2, 1],
    { maxStep: 1, tolerance: 1e-6, maxIterations: 200 },
  );
  expect(found.converged).toBe(true);
  expect(found.parameters[0]).toBeCloseTo(1, 4);
  expect(found.parameters[1]).toBeCloseTo(1, 4);
});

test('the value never rises above that of the start', () => {
  const bumpy = ([x]: Float64Array) => ({
    value: Math.sin(5 * x) + 0.1 * x * x,
    gradient: Float64Array.of(5 * Math.cos(5 * x) + 0.2 * x),
  });
  for (let start = -4; start < 4; start += 0.37) {
    const found = minimise(bumpy, [start], { maxStep: 2, tolerance: 1e-6, maxIterations: 50 });
    expect(found.value).toBeLessThanOrEqual(bumpy(Float64Array.of(start)).value);
  }
});

test('a flat function ends at once, where it began', () => {
  const found = minimise(() => ({ value: 3, gradient: new Float64Array(2) }), [5, 6], {
    maxStep: 1,
    tolerance: 1e-3,
    maxIterations: 9,
  });
  expect([...found.parameters]).toEqual([5, 6]);
  expect(found.converged).toBe(true);
});
