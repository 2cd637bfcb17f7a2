import { type Affine, applyAffine, IDENTITY, invertAffine, type Shape3, type Vec3 } from '@engram/volume';
import { expect, test } from 'vitest';
import { paintHead, pose } from './ellipsoids.fixture.ts';
import { BINS, mutualInformation } from './mutual-information.ts';
import type { Level } from './pyramid.ts';
import { takeSamples } from './samples.ts';
import { type DegreesOfFreedom, type LinearModel, matrixOf, parameterGradient } from './transform.ts';
import { valueRange } from './value-range.ts';

const shape: Shape3 = [26, 30, 28];
const affine = [8, 0, 0, -100, 0, 8, 0, -116, 0, 0, 8, -108, 0, 0, 0, 1];
const moving = paintHead(shape, affine, pose([3, -2, 4], [2, 1, -3]), 'pet');
const samples = takeSamples(paintHead(shape, affine, IDENTITY, 't1'), undefined, 3000, 5);

/** Cubic B-spline from its definition. */
function spline(x: number): number {
  const a = Math.abs(x);
  return a < 1 ? (4 - 6 * a * a + 3 * a ** 3) / 6 : a < 2 ? (2 - a) ** 3 / 6 : 0;
}

/** Straight from the equations at the head of the file: every bin, every sample, no shortcuts. */
function naive(level: Level, matrix: Affine): number {
  const toVoxel = invertAffine(level.affine);
  const fixedRange = valueRange(samples.values);
  const range = valueRange(level.data);
  const joint = Array.from({ length: BINS }, () => new Array<number>(BINS).fill(0));
  let used = 0;
  for (let s = 0; s < samples.count; s++) {
    const p: Vec3 = [samples.points[3 * s], samples.points[3 * s + 1], samples.points[3 * s + 2]];
    const v = applyAffine(toVoxel, applyAffine(matrix, p));
    if (v.some((c, k) => c < 0 || c >= shape[k] - 1)) continue;
    used++;
    let value = 0;
    for (let corner = 0; corner < 8; corner++) {
      const at = v.map((c, k) => Math.floor(c) + ((corner >> k) & 1));
      const weight = v.reduce((w, c, k) => w * (1 - Math.abs(c - at[k])), 1);
      value += weight * level.data[(at[2] * shape[1] + at[1]) * shape[0] + at[0]];
    }
    const clipped = Math.min(range.high, Math.max(range.low, value));
    const kappa = ((clipped - range.low) / (range.high - range.low)) * (BINS - 5) + 2;
    const share = (samples.values[s] - fixedRange.low) / (fixedRange.high - fixedRange.low);
    const l = Math.min(BINS - 1, Math.max(0, Math.floor(share * BINS)));
    for (let k = 0; k < BINS; k++) joint[l][k] += spline(k - kappa);
  }
  let information = 0;
  for (let l = 0; l < BINS; l++)
    for (let k = 0; k < BINS; k++) {
      const p = joint[l][k] / used;
      const pl = joint[l].reduce((a, b) => a + b, 0) / used;
      const pk = joint.reduce((a, row) => a + row[k], 0) / used;
      if (p > 0) information += p * Math.log(p / (pl * pk));
    }
  return information;
}

test('the information agrees with a naive sum over every bin and sample', () => {
  const similarity = mutualInformation(samples, moving);
  for (const matrix of [IDENTITY, pose([3, -2, 4], [2, 1, -3]), pose([20, 0, -10], [30, 0, 10])]) {
    expect(similarity(matrix, false).value).toBeCloseTo(naive(moving, matrix), 9);
  }
});

for (const dof of [6, 7, 9, 12] as DegreesOfFreedom[]) {
  test(`the gradient by ${dof} parameters agrees with finite differences`, () => {
    const base = pose([5, 5, 5], [1, 2, 3]);
    const model: LinearModel = { dof, centre: [3, -4, 6], radius: 60, base };
    const p = Float64Array.from({ length: dof }, (_, k) => 1.7 * Math.sin(3 * k + 1));
    // Samples that leave the view make the information jump: only those that stay in it are taken.
    const kept = samples.values
      .map((_, s) => s)
      .filter((s) => samples.points.subarray(3 * s, 3 * s + 3).every((v) => Math.abs(v) < 85));
    const inner = {
      count: kept.length,
      points: Float64Array.from([...kept].flatMap((s) => [...samples.points.subarray(3 * s, 3 * s + 3)])),
      values: Float32Array.from(kept, (s) => samples.values[s]),
    };
    const similarity = mutualInformation(inner, moving);
    const gradient = parameterGradient(model, p, similarity(matrixOf(model, p), true).entries);
    for (let k = 0; k < dof; k++) {
      const at = (step: number) =>
        similarity(
          matrixOf(
            model,
            p.map((v, n) => (n === k ? v + step : v)),
          ),
          false,
        ).value;
      const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
      // Trilinear interpolation has kinks between voxels: a few samples cross one within the step.
      expect(Math.abs(gradient[k] - difference)).toBeLessThan(1e-5 + 0.01 * Math.abs(difference));
    }
  });
}

test('scales stay within 1/1.6 and 1.6 however far the parameters go', () => {
  const model: LinearModel = { dof: 9, centre: [0, 0, 0], radius: 60, base: IDENTITY };
  const matrix = matrixOf(model, [0, 0, 0, 0, 0, 0, 1e4, -1e4, 20]);
  expect(matrix[0]).toBeCloseTo(1.6, 6);
  expect(matrix[5]).toBeCloseTo(1 / 1.6, 6);
  expect(matrix[10]).toBeGreaterThan(1.3);
});
