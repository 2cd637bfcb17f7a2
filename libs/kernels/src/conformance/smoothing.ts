/** Kernels that weigh neighbours: smoothing, and grids made coarser or finer by it. */
import { expect, test } from 'vitest';
import type { Shape } from '../device.ts';
import { at, everyVoxel, expectClose, interpolated, noise, size } from './oracle.ts';
import type { UnderTest } from './under-test.ts';

export function smoothing({ withDevice, eachShape }: UnderTest): void {
  test('gaussian is the weighted mean over clamped neighbours, truncated at 3 sigma, in place too', () =>
    eachShape(async (device, shape, n) => {
      const image = noise(n, 1);
      const sigma = [1.732, 0.7, 0] as const;
      let expected: Float64Array = Float64Array.from(image);
      for (let axis = 0; axis < 3; axis++) {
        const radius = Math.ceil(3 * sigma[axis]);
        const previous = expected;
        expected = everyVoxel(shape, (x, y, z) => {
          let sum = 0;
          let weights = 0;
          for (let k = -radius; k <= radius; k++) {
            const weight = radius === 0 ? 1 : Math.exp(-0.5 * (k / sigma[axis]) ** 2);
            const p = [x, y, z];
            p[axis] += k;
            sum += weight * previous[at(shape, p[0], p[1], p[2])];
            weights += weight;
          }
          return sum / weights;
        });
      }
      const buffer = device.upload(image);
      device.kernels.gaussian(buffer, shape, sigma, buffer);
      expectClose(await device.download(buffer), expected, 1e-6);
    }));

  test('downsample keeps a constant, and takes every factor-th smoothed voxel', () =>
    withDevice(async (device) => {
      const shape: Shape = [13, 6, 1];
      const image = device.upload(noise(size(shape), 21));
      const smooth = device.alloc(size(shape));
      device.kernels.gaussian(image, shape, [1, 1, 1], smooth);
      const fine = await device.download(smooth);
      const out = device.alloc(7 * 3);
      expect(device.kernels.downsample(image, shape, 2, out)).toEqual([7, 3, 1]);
      const expected = everyVoxel([7, 3, 1], (x, y) => fine[y * 2 * 13 + x * 2]);
      expectClose(await device.download(out), expected, 0);
      expect(device.kernels.downsample(image, shape, 1, smooth)).toEqual(shape);
      expectClose(await device.download(smooth), await device.download(image), 0);
    }));

  test('resize spans the same box and scales', () =>
    eachShape(async (device, shape, n) => {
      const to: Shape = [shape[0] * 2, shape[1] + 3, shape[2]];
      const image = noise(n, 22);
      const out = device.alloc(size(to));
      device.kernels.resize(device.upload(image), shape, to, 2, out);
      const map = (v: number, k: number) => ((v + 0.5) * shape[k]) / to[k] - 0.5;
      const expected = everyVoxel(to, (x, y, z) => 2 * interpolated(image, shape, map(x, 0), map(y, 1), map(z, 2)));
      expectClose(await device.download(out), expected, 4e-5);
    }));
}
