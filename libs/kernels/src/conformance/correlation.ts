/** Local correlation and its force. */
import { expect, test } from 'vitest';
import type { Shape } from '../device.ts';
import { at, everyVoxel, expectClose, noise, size, type Values } from './oracle.ts';
import { field, type UnderTest } from './under-test.ts';

export function correlation({ withDevice, tolerances: { correlation } }: UnderTest): void {
  test.each([1, 2, 3])('lncc of radius %s is the mean of E, and its force the derivative, found by differences', (r) =>
    withDevice(async (device) => {
      for (const shape of [
        [7, 6, 5],
        [1, 5, 4],
        [6, 35, 2],
      ] as const) {
        const n = size(shape);
        const fixed = noise(n, 16);
        const moving = noise(n, 17).map((v, i) => v * 0.5 + fixed[i]);
        const mask = noise(n, 18).map((v) => (v > -0.5 ? 1 : 0));
        const epsilon = 0.3;
        const force = field(device, n);
        const mean = await device.kernels.lncc(
          device.upload(fixed),
          device.upload(moving),
          device.upload(mask),
          shape,
          r,
          epsilon,
          force,
        );
        const image = Float64Array.from(moving);
        const total = () => sumOfCorrelations(fixed, image, mask, shape, r, epsilon);
        const centres = mask.reduce((sum, v) => sum + v, 0);
        expect(Math.abs(mean - total() / centres)).toBeLessThan(correlation);
        const h = 1e-5;
        const derivative = everyVoxel(shape, (_x, _y, _z, i) => {
          const value = image[i];
          image[i] = value + h;
          const up = total();
          image[i] = value - h;
          const down = total();
          image[i] = value;
          return (up - down) / (2 * h);
        });
        for (let k = 0; k < 3; k++) {
          const expected = everyVoxel(shape, (x, y, z, i) => {
            const p = [x, y, z];
            p[k] += 1;
            const after = moving[at(shape, p[0], p[1], p[2])];
            p[k] -= 2;
            return (derivative[i] * (after - moving[at(shape, p[0], p[1], p[2])])) / 2;
          });
          const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
          // 1e-6: the oracle's own error, from a difference quotient.
          expectClose(await device.download(force[k]), expected, 3e-4 * largest + 1e-6);
        }
      }
    }),
  );

  test('lncc of two flat images is 0 and pushes nowhere; over an empty mask too', () =>
    withDevice(async (device) => {
      const shape: Shape = [6, 5, 4];
      const flat = device.upload(new Float32Array(120).fill(3));
      const other = device.upload(noise(120, 20));
      const force = field(device, 120);
      // Not 0 exactly: float32 sums of 125 nines less their mean.
      expect(Math.abs(await device.kernels.lncc(flat, flat, null, shape, 2, 0.1, force))).toBeLessThan(correlation);
      expectClose(await device.download(force[0]), new Float64Array(120), 0);
      expect(await device.kernels.lncc(other, other, device.alloc(120), shape, 2, 0.1, force)).toBe(0);
      expectClose(await device.download(force[1]), new Float64Array(120), 0);
    }));
}

/** E summed over masked centres by its definition, in float64. */
function sumOfCorrelations(
  fixed: Values,
  moving: Float64Array,
  mask: Values,
  shape: Shape,
  radius: number,
  epsilon: number,
): number {
  let total = 0;
  everyVoxel(shape, (x, y, z, i) => {
    if (!(mask[i] > 0)) return 0;
    const window: number[] = [];
    for (let c = Math.max(z - radius, 0); c <= Math.min(z + radius, shape[2] - 1); c++)
      for (let b = Math.max(y - radius, 0); b <= Math.min(y + radius, shape[1] - 1); b++)
        for (let a = Math.max(x - radius, 0); a <= Math.min(x + radius, shape[0] - 1); a++)
          window.push(at(shape, a, b, c));
    const f0 = window.reduce((sum, k) => sum + fixed[k], 0) / window.length;
    const m0 = window.reduce((sum, k) => sum + moving[k], 0) / window.length;
    const a = window.reduce((sum, k) => sum + (fixed[k] - f0) * (moving[k] - m0), 0);
    const b = window.reduce((sum, k) => sum + (fixed[k] - f0) ** 2, 0) + epsilon;
    const c = window.reduce((sum, k) => sum + (moving[k] - m0) ** 2, 0) + epsilon;
    total += (a * Math.abs(a)) / (b * c);
    return 0;
  });
  return total;
}
