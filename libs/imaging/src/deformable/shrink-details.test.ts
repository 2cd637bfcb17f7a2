import { type Device, openDevice } from '@engram/kernels';
import { random } from '@engram/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Band, shrinkDetails } from './shrink-details.ts';

const shape = [40, 36, 34] as const;
const n = shape[0] * shape[1] * shape[2];
const fine = { width: 2, threshold: 0.25 };
const wide = { width: 4, threshold: 0.15 };
let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'scalar' });
});
afterAll(() => device.close());

const at = (i: number) => [i % shape[0], Math.floor(i / shape[0]) % shape[1], Math.floor(i / (shape[0] * shape[1]))];
/** Half a voxel that varies over 72: next to nothing of it is detail. */
const smooth = Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin((2 * Math.PI * at(i)[1]) / 72));
const rms = (a: Float32Array, b: Float32Array, where: (i: number) => boolean) => {
  let [sum, count] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (!where(i)) continue;
    sum += (a[i] - b[i]) ** 2;
    count++;
  }
  return Math.sqrt(sum / count);
};
const inside = (i: number) => at(i).every((x, axis) => x > 6 && x < shape[axis] - 7);

async function shrunk(components: readonly Float32Array[], ...bands: readonly Band[]): Promise<Float32Array[]> {
  const u = components.map((values) => device.upload(values));
  await shrinkDetails(device, [u[0], u[1], u[2]], shape, bands);
  return Promise.all(u.map((buffer) => device.download(buffer)));
}

test('noise below the threshold goes, and the smooth field under it stays', async () => {
  const rng = random(3);
  const noisy = smooth.map((value) => value + 0.1 * rng.normal());
  const zero = new Float32Array(n);
  const [found] = await shrunk([noisy, zero, zero], fine, wide);
  expect(rms(noisy, smooth, inside)).toBeGreaterThan(0.09);
  expect(rms(found, smooth, inside)).toBeLessThan(0.04);
});

test('a local displacement well above the threshold keeps most of its height', async () => {
  const bump = Float32Array.from({ length: n }, (_, i) => {
    const [x, y, z] = at(i);
    return 3 * Math.exp(-((x - 20) ** 2 + (y - 18) ** 2 + (z - 17) ** 2) / (2 * 3 ** 2));
  });
  const zero = new Float32Array(n);
  const [found] = await shrunk([bump, zero, zero], fine, wide);
  const peak = 20 + shape[0] * (18 + shape[1] * 17);
  expect(found[peak]).toBeGreaterThan(0.85 * bump[peak]);
  expect(found[peak]).toBeLessThanOrEqual(bump[peak] + 1e-5);
});

test('no band changes nothing, and bands add up to the field', async () => {
  const rng = random(4);
  const field = [0, 1, 2].map(() => Float32Array.from({ length: n }, () => rng.normal()));
  expect(await shrunk(field)).toEqual(field);
  // A threshold far below every detail keeps all of it.
  const kept = await shrunk(field, { width: 2, threshold: 1e-6 }, { width: 4, threshold: 1e-6 });
  for (const k of [0, 1, 2]) expect(rms(kept[k], field[k], () => true)).toBeLessThan(1e-5);
});
