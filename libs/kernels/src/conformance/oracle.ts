/** What the conformance tests share: shapes and images that are hard, definitions written from another side than the kernels. */
import { expect } from 'vitest';
import type { Shape } from '../device.ts';

/** Odd sizes, rows of every length modulo 4, rows shorter than a vector, flat images, more planes than threads. */
export const SHAPES: readonly Shape[] = [
  [1, 1, 1],
  [3, 2, 1],
  [1, 7, 5],
  [9, 1, 6],
  [13, 11, 7],
  [10, 37, 3],
  [8, 8, 8],
  [35, 6, 33],
];

export type Values = Float32Array;
export type Triple = readonly [Values, Values, Values];

/** Linear congruential: the same numbers in every run. */
export function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
export const noise = (length: number, seed: number, scale = 1): Values => {
  const next = randoms(seed);
  return Float32Array.from({ length }, () => (next() - 0.5) * 2 * scale);
};
export const noiseField = (length: number, seed: number, scale: number): Triple => [
  noise(length, seed, scale),
  noise(length, seed + 1, scale),
  noise(length, seed + 2, scale),
];
export const size = (shape: Shape) => shape[0] * shape[1] * shape[2];
export const clampTo = (value: number, n: number) => Math.min(Math.max(value, 0), n - 1);
export const at = (shape: Shape, x: number, y: number, z: number) =>
  (clampTo(z, shape[2]) * shape[1] + clampTo(y, shape[1])) * shape[0] + clampTo(x, shape[0]);

export function everyVoxel(shape: Shape, value: (x: number, y: number, z: number, i: number) => number): Float64Array {
  const out = new Float64Array(size(shape));
  for (let z = 0, i = 0; z < shape[2]; z++)
    for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[0]; x++, i++) out[i] = value(x, y, z, i);
  return out;
}

/** The eight corners' weighted mean, weights multiplied out: another form than the kernels' nested lerps. */
export function interpolated(image: Values, shape: Shape, x: number, y: number, z: number): number {
  const p = [clampTo(x, shape[0]), clampTo(y, shape[1]), clampTo(z, shape[2])];
  const low = p.map(Math.floor);
  let sum = 0;
  for (let corner = 0; corner < 8; corner++) {
    const bit = [corner & 1, (corner >> 1) & 1, corner >> 2];
    const weight = bit.reduce((w, b, k) => w * (b ? p[k] - low[k] : 1 - (p[k] - low[k])), 1);
    if (weight > 0) sum += weight * image[at(shape, low[0] + bit[0], low[1] + bit[1], low[2] + bit[2])];
  }
  return sum;
}
export const inside = (shape: Shape, p: readonly number[]) => p.every((v, k) => v >= -0.5 && v < shape[k] - 0.5);

export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  let worst = 0;
  let where = -1;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    // Not `error > worst`: a NaN must be found too.
    if (!(error <= worst)) {
      worst = error;
      where = i;
    }
    if (Number.isNaN(error)) break;
  }
  expect(worst, `at ${where}: ${actual[where]} for ${expected[where]}`).toBeLessThanOrEqual(tolerance);
}

// Shifts of many digits: no sample falls on the edge of an image, where a rounding decides.
export const MATRIX = [0.9, -0.2, 0.1, 0.71237, 0.15, 1.1, -0.05, -0.41753, 0.02, 0.1, 0.85, 0.31369];
export const transformed = (m: readonly number[], x: number, y: number, z: number) =>
  [0, 4, 8].map((r) => m[r] * x + m[r + 1] * y + m[r + 2] * z + m[r + 3]);
