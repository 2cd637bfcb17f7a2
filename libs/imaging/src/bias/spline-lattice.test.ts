import { expect, test } from 'vitest';
import {
  axisWeights,
  evaluateLattice,
  fitLattice,
  type GridWeights,
  planFit,
  refineLattice,
} from './spline-lattice.ts';

const shape = [7, 6, 5] as const;
const cells = [2, 1, 3] as const;
const grid: GridWeights = [
  axisWeights(shape[0], 0.5 / shape[0], 1 / shape[0], cells[0]),
  axisWeights(shape[1], 0.5 / shape[1], 1 / shape[1], cells[1]),
  axisWeights(shape[2], 0.5 / shape[2], 1 / shape[2], cells[2]),
];
const count = shape[0] * shape[1] * shape[2];
const values = Float64Array.from({ length: count }, (_, i) => Math.sin(0.7 * i) + 0.01 * i);
const confidence = Float64Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 0 : 1 + (i % 2)));

/** Lee et al. 1997, equations 3 and 5, written as they stand: 64 terms a sample, no factoring. */
function naiveFit(): Float64Array {
  const size = cells.map((c) => c + 3);
  const delta = new Float64Array(size[0]! * size[1]! * size[2]!);
  const omega = new Float64Array(delta.length);
  let i = 0;
  for (let z = 0; z < shape[2]; z++)
    for (let y = 0; y < shape[1]; y++)
      for (let x = 0; x < shape[0]; x++, i++) {
        const terms: [number, number][] = [];
        for (let c = 0; c < 64; c++) {
          const [a, b, d] = [c & 3, (c >> 2) & 3, c >> 4];
          const w = grid[0].weights[4 * x + a]! * grid[1].weights[4 * y + b]! * grid[2].weights[4 * z + d]!;
          const at = ((grid[2].first[z]! + d) * size[1]! + grid[1].first[y]! + b) * size[0]! + grid[0].first[x]! + a;
          terms.push([at, w]);
        }
        const squares = terms.reduce((sum, [, w]) => sum + w * w, 0);
        for (const [at, w] of terms) {
          delta[at]! += confidence[i]! * w * w * ((w * values[i]!) / squares);
          omega[at]! += confidence[i]! * w * w;
        }
      }
  return delta.map((d, n) => (omega[n]! > 0 ? d / omega[n]! : 0));
}

test('the factored fit equals the 64-term sums of the paper', () => {
  const fit = fitLattice(planFit(grid, confidence), values);
  const naive = naiveFit();
  for (let i = 0; i < naive.length; i++) expect(fit.data[i]).toBeCloseTo(naive[i]!, 12);
});

test('refinement leaves the field as it was', () => {
  const coarse = fitLattice(planFit(grid, confidence), values);
  const fine = refineLattice(coarse);
  const fineGrid: GridWeights = [
    axisWeights(shape[0], 0.5 / shape[0], 1 / shape[0], 2 * cells[0]),
    axisWeights(shape[1], 0.5 / shape[1], 1 / shape[1], 2 * cells[1]),
    axisWeights(shape[2], 0.5 / shape[2], 1 / shape[2], 2 * cells[2]),
  ];
  const before = evaluateLattice(coarse, grid, new Float32Array(count));
  const after = evaluateLattice(fine, fineGrid, new Float32Array(count));
  for (let i = 0; i < count; i++) expect(after[i]).toBeCloseTo(before[i]!, 6);
});

test('a constant comes back as that constant', () => {
  const fit = fitLattice(planFit(grid, new Float64Array(count).fill(1)), new Float64Array(count).fill(2));
  // The weights' average of w/sum(w^2) is 1 only over many samples, so one pass approximates; the residual shrinks on repetition.
  const once = evaluateLattice(fit, grid, new Float32Array(count));
  const rest = Float64Array.from(once, (v) => 2 - v);
  const again = evaluateLattice(
    fitLattice(planFit(grid, new Float64Array(count).fill(1)), rest),
    grid,
    new Float32Array(count),
  );
  const worst = (r: ArrayLike<number>) => Math.max(...Array.from(r, (v) => Math.abs(v)));
  expect(worst(rest)).toBeLessThan(2);
  expect(worst(rest.map((v, i) => v - again[i]!))).toBeLessThan(worst(rest));
});

test('control points that no sample touches stay zero', () => {
  const few = new Float64Array(count);
  few[0] = 1;
  const fit = fitLattice(planFit(grid, few), values);
  expect(fit.data.at(-1)).toBe(0);
});
