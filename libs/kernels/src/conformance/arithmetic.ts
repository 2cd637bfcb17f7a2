/** Kernels that go element by element, and sums over all. */
import { expect, test } from 'vitest';
import { expectClose, noiseField } from './oracle.ts';
import { field, type UnderTest, upload } from './under-test.ts';

export function arithmetic({ withDevice }: UnderTest): void {
  test('squaredNorm and addAttenuated follow their definitions over several blocks', () =>
    withDevice(async (device) => {
      for (const n of [0, 1, 5, 16_385, 50_003]) {
        const u = noiseField(n, 29, 3);
        const energy = device.alloc(n);
        device.kernels.squaredNorm(upload(device, u), n, energy);
        const norms = u[0].map((x, i) => x ** 2 + u[1][i] ** 2 + u[2][i] ** 2);
        expectClose(await device.download(energy), norms, 1e-5);
        if (n > 2) norms[1] = 0;
        const y = device.upload(u[1]);
        device.kernels.addAttenuated(device.upload(u[0]), device.upload(norms), 1.5, y);
        // Near the threshold a share is the difference of two nearly equal numbers: absolute, not relative.
        expectClose(
          await device.download(y),
          u[1].map((v, i) => v + (norms[i] > 0 ? Math.max(0, 1 - 2.25 / norms[i]) : 0) * u[0][i]),
          2e-6,
        );
      }
    }));

  test('maxNorm, axpby and reduce follow their definitions over several blocks', () =>
    withDevice(async (device) => {
      for (const n of [0, 1, 5, 16_385, 50_003]) {
        const u = noiseField(n, 23, 3);
        const found = await device.kernels.maxNorm(upload(device, u), n);
        let most = 0;
        let sum = 0;
        for (let i = 0; i < n; i++) {
          most = Math.max(most, Math.hypot(u[0][i], u[1][i], u[2][i]));
          sum += u[0][i];
        }
        expect(Math.abs(found - most)).toBeLessThan(1e-5);
        const extent = await device.kernels.reduce(device.upload(u[0]), n);
        expect(extent.min).toBe(u[0].reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY));
        expect(extent.max).toBe(u[0].reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY));
        expect(Math.abs(extent.sum - sum)).toBeLessThan(1e-7 * (n + 1));
        const y = device.upload(u[1]);
        device.kernels.axpby(2, device.upload(u[0]), -0.5, y);
        expectClose(
          await device.download(y),
          u[0].map((v, i) => 2 * v - 0.5 * u[1][i]),
          1e-6,
        );
      }
    }));

  test('adam bounds its step, and follows Kingma and Ba over three iterations', () =>
    withDevice(async (device) => {
      const n = 16_390;
      const options = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, limit: 0.5 };
      const [m, v, step] = [field(device, n), field(device, n), field(device, n)];
      const moments = Array.from({ length: 6 }, () => new Float64Array(n));
      for (let iteration = 1; iteration <= 3; iteration++) {
        const g = noiseField(n, 30 + 3 * iteration, 0.01);
        await device.kernels.adam(upload(device, g), m, v, iteration, options, step);
        const direction = [0, 1, 2].map((k) =>
          g[k].reduce((out, value, i) => {
            moments[k][i] = 0.9 * moments[k][i] + 0.1 * value;
            moments[3 + k][i] = 0.99 * moments[3 + k][i] + 0.01 * value ** 2;
            const mean = moments[k][i] / (1 - 0.9 ** iteration);
            out[i] = mean / (Math.sqrt(moments[3 + k][i] / (1 - 0.99 ** iteration)) + 1e-8);
            return out;
          }, new Float64Array(n)),
        );
        let most = 1;
        for (let i = 0; i < n; i++)
          most = Math.max(most, Math.hypot(direction[0][i], direction[1][i], direction[2][i]));
        for (let k = 0; k < 3; k++) {
          // 2e-5: 1 - beta2 has lost four digits in float32.
          expectClose(
            await device.download(step[k]),
            direction[k].map((d) => (0.5 * d) / most),
            2e-5,
          );
        }
        expect(await device.kernels.maxNorm(step, n)).toBeLessThanOrEqual(0.5 + 1e-6);
      }
    }));

  test('adam without any gradient stays where it is', () =>
    withDevice(async (device) => {
      const step = field(device, 9);
      const options = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, limit: 0.5 };
      await device.kernels.adam(field(device, 9), field(device, 9), field(device, 9), 1, options, step);
      expectClose(await device.download(step[0]), new Float64Array(9), 0);
    }));
}
