import { type Device, type Field, openDevice, type Shape } from '@engram/kernels';
import { applyAffine, type MaskVolume, type Volume } from '@engram/volume';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resample } from '../resample.ts';
import { registerDeformable } from './register-deformable.ts';
import { unfold } from './unfold.ts';

const SHAPE: Shape = [60, 56, 52];
/** Off by a rotation and a shift, fixed point to moving point. */
const INITIAL = [0.995, -0.0998, 0, 3, 0.0998, 0.995, 0, -2, 0, 0, 1.02, 1, 0, 0, 0, 1];

/** A ball of folded texture, 0 outside: enough structure everywhere inside for a window to tell where it is. */
const texture = (x: number, y: number, z: number) =>
  Math.hypot(x, y, z) > 44
    ? 0
    : 100 + 30 * Math.sin(x / 2.2 + Math.cos(y / 6)) + 30 * Math.sin(y / 2.5 + z / 9) + 30 * Math.cos(z / 2.3 - x / 11);
/** Up to 4 mm. */
const truth = (x: number, y: number, z: number) => [
  3 * Math.sin(y / 17),
  2.5 * Math.cos(z / 15 + 1),
  3 * Math.sin(x / 19 - y / 23),
];

function paint(shape: Shape, affine: readonly number[], value: (x: number, y: number, z: number) => number): Volume {
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  for (let k = 0, i = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++)
      for (let h = 0; h < shape[0]; h++, i++) data[i] = value(...applyAffine(affine, [h, j, k]));
  return { shape, affine, frames: 1, data };
}

const MOVING_AFFINE = [-1.6, 0, 0, 54, 0, 1.6, 0, -56, 0, 0, 1.6, -52, 0, 0, 0, 1];
const moving = paint([68, 70, 66], MOVING_AFFINE, texture);
const fixedOn = (shape: Shape, affine: readonly number[]) =>
  paint(shape, affine, (x, y, z) => {
    const u = truth(x, y, z);
    const [a, b, c] = applyAffine(INITIAL, [x + u[0], y + u[1], z + u[2]]);
    return texture(a, b, c);
  });
const maskOf = (image: Volume): MaskVolume => ({ ...image, data: Uint8Array.from(image.data, (v) => (v > 0 ? 1 : 0)) });
const CUBES = [1.8, 0, 0, -53, 0, 1.8, 0, -49, 0, 0, 1.8, -46, 0, 0, 0, 1];

/** Mean distance, mm, from where each masked point should go. */
function meanError(fixed: Volume, forward: { x: Float32Array; y: Float32Array; z: Float32Array }): number {
  let sum = 0;
  let count = 0;
  const [nx, ny] = fixed.shape;
  for (let i = 0; i < fixed.data.length; i++) {
    if (fixed.data[i] === 0) continue;
    const [x, y, z] = applyAffine(fixed.affine, [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))]);
    const u = truth(x, y, z);
    const [a, b, c] = applyAffine(INITIAL, [x + u[0], y + u[1], z + u[2]]);
    sum += Math.hypot(x + forward.x[i] - a, y + forward.y[i] - b, z + forward.z[i] - c);
    count++;
  }
  return sum / count;
}

describe('registerDeformable', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm', threads: 2 });
  });
  afterAll(() => device.close());

  test('finds a known deformation, folds nowhere, and its inverse leads back', async () => {
    const fixed = fixedOn(SHAPE, CUBES);
    const fractions: number[] = [];
    const { forward, inverse, metric, report } = await registerDeformable(
      fixed,
      moving,
      { initial: INITIAL, fixedMask: maskOf(fixed), onProgress: (fraction) => fractions.push(fraction) },
      device,
    );
    expect(forward.shape).toEqual(SHAPE);
    expect(inverse.affine).toEqual(MOVING_AFFINE);
    // 3 mm without it; a quarter of a 1.8 mm voxel with it.
    expect(meanError(fixed, forward)).toBeLessThan(0.45);
    expect(report.foldedVoxels).toBe(0);
    expect(report.jacobianMin).toBeGreaterThan(0);
    expect(report.inverseConsistencyMm.p95).toBeLessThan(0.1);
    expect(metric).toHaveLength(105);
    for (const level of report.convergence) expect(level.last).toBeGreaterThan(level.first);
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    const warped = await resample(moving, fixed, { field: forward }, device);
    const difference = warped.data.reduce((sum, v, i) => sum + Math.abs(v - fixed.data[i]), 0) / warped.data.length;
    expect(difference).toBeLessThan(5);
    expect(device.memory().bytes).toBe(0);
  });

  test('thick slices are worked on as cubes, and the answer lies on their own grid', async () => {
    const affine = [1.3, 0, 0, -53, 0, 1.3, 0, -49, 0, 0, 4, -46, 0, 0, 0, 1];
    const fixed = fixedOn([80, 76, 24], affine);
    const { forward, report } = await registerDeformable(fixed, moving, { initial: INITIAL }, device);
    expect(forward.affine).toEqual(affine);
    expect(meanError(fixed, forward)).toBeLessThan(0.7);
    expect(report.foldedVoxels).toBe(0);
  });

  test('gives the same field bit for bit with another number of threads', async () => {
    const fixed = fixedOn([40, 40, 40], [2.6, 0, 0, -53, 0, 2.6, 0, -49, 0, 0, 2.6, -46, 0, 0, 0, 1]);
    const options = { initial: INITIAL, iterations: [10, 3] };
    const here = await registerDeformable(fixed, moving, options, device);
    const other = await openDevice({ backend: 'wasm', threads: 3 });
    const there = await registerDeformable(fixed, moving, options, other);
    await other.close();
    expect(there.forward).toEqual(here.forward);
    expect(there.inverse).toEqual(here.inverse);
  });

  test('stops when told to and frees its memory', async () => {
    const controller = new AbortController();
    const running = registerDeformable(
      fixedOn(SHAPE, CUBES),
      moving,
      { initial: INITIAL, signal: controller.signal, onProgress: () => controller.abort(new Error('cancelled')) },
      device,
    );
    await expect(running).rejects.toThrow('cancelled');
    expect(device.memory().bytes).toBe(0);
  });

  test('a mask on another grid is refused', async () => {
    const fixed = fixedOn([20, 20, 20], CUBES);
    const options = { initial: INITIAL, fixedMask: maskOf(moving) };
    await expect(registerDeformable(fixed, moving, options, device)).rejects.toThrow(
      expect.objectContaining({ code: 'MASK_GRID_MISMATCH' }),
    );
  });

  test('unfold repairs a fold where it is and leaves the rest alone', async () => {
    const shape: Shape = [24, 24, 24];
    const n = 24 ** 3;
    const wave = Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin(i / 5));
    const smooth = device.upload(wave);
    device.kernels.gaussian(smooth, shape, [2, 2, 2], smooth);
    const clean = await device.download(smooth);
    const folded = clean.slice();
    folded[(5 * 24 + 5) * 24 + 5] += 6;
    const u: Field = [device.upload(folded), device.alloc(n), device.alloc(n)];
    const { jacobianMin, repaired } = await unfold(device, u, shape);
    expect(repaired).toBeGreaterThan(0);
    expect(jacobianMin).toBeGreaterThan(0);
    const after = await device.download(u[0]);
    const far = (20 * 24 + 20) * 24 + 20;
    expect(after[far]).toBe(clean[far]);
    for (const buffer of [smooth, ...u]) buffer.dispose();
  });
});
