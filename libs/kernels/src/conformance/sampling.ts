/** Kernels that sample an image or a field between its voxels. */
import { test } from 'vitest';
import type { Shape } from '../device.ts';
import {
  at,
  everyVoxel,
  expectClose,
  inside,
  interpolated,
  MATRIX,
  noise,
  noiseField,
  size,
  transformed,
} from './oracle.ts';
import { field, type UnderTest, upload } from './under-test.ts';

export function sampling({ eachShape }: UnderTest): void {
  test('warp samples trilinearly at x + u(x) and clamps', () =>
    eachShape(async (device, shape, n) => {
      const image = noise(n, 2);
      const u = noiseField(n, 3, 4);
      const out = device.alloc(n);
      device.kernels.warp(device.upload(image), upload(device, u), shape, out);
      const expected = everyVoxel(shape, (x, y, z, i) =>
        interpolated(image, shape, x + u[0][i], y + u[1][i], z + u[2][i]),
      );
      expectClose(await device.download(out), expected, 2e-5);
    }));

  test.each([null, -7])('affine and affineWarp sample another grid, outside = %s', (outside) =>
    eachShape(async (device, shape, n) => {
      const to: Shape = [shape[0] + 2, shape[1] + 1, shape[2]];
      const image = noise(n, 4);
      const u = noiseField(size(to), 5, 2);
      const source = device.upload(image);
      const out = device.alloc(size(to));
      const value = (p: readonly number[]) =>
        outside === null || inside(shape, p) ? interpolated(image, shape, p[0], p[1], p[2]) : outside;
      device.kernels.affine(source, shape, MATRIX, to, out, outside);
      const plain = everyVoxel(to, (x, y, z) => value(transformed(MATRIX, x, y, z)));
      expectClose(await device.download(out), plain, 2e-5);
      device.kernels.affineWarp(source, shape, MATRIX, upload(device, u), to, out, outside);
      const warped = everyVoxel(to, (x, y, z, i) => value(transformed(MATRIX, x + u[0][i], y + u[1][i], z + u[2][i])));
      expectClose(await device.download(out), warped, 2e-5);
    }),
  );

  test('affineWarpNearest moves labels and never mixes them', () =>
    eachShape(async (device, shape, n) => {
      const labels = noise(n, 6, 5000).map(Math.round);
      const u = noiseField(n, 7, 2);
      const source = device.upload(labels);
      const out = device.alloc(n);
      const value = (p: readonly number[]) => {
        const q = p.map((v) => Math.floor(v + 0.5));
        return q.every((v, k) => v >= 0 && v < shape[k]) ? labels[at(shape, q[0], q[1], q[2])] : 9;
      };
      device.kernels.affineWarpNearest(source, shape, MATRIX, upload(device, u), shape, out, 9);
      const warped = everyVoxel(shape, (x, y, z, i) =>
        value(transformed(MATRIX, x + u[0][i], y + u[1][i], z + u[2][i])),
      );
      expectClose(await device.download(out), warped, 0);
      device.kernels.affineWarpNearest(source, shape, MATRIX, null, shape, out, 9);
      const plain = everyVoxel(shape, (x, y, z) => value(transformed(MATRIX, x, y, z)));
      expectClose(await device.download(out), plain, 0);
    }));

  test('samplePoints samples anywhere, N not divisible by 4', () =>
    eachShape(async (device, shape, n) => {
      const image = noise(n, 8);
      const count = 21;
      const points = noise(3 * count, 9, 12);
      const out = device.alloc(count);
      const point = (i: number) => [points[i], points[count + i], points[2 * count + i]];
      device.kernels.samplePoints(device.upload(image), shape, device.upload(points), out, -3);
      const expected = Array.from({ length: count }, (_, i) => {
        const p = point(i);
        return inside(shape, p) ? interpolated(image, shape, p[0], p[1], p[2]) : -3;
      });
      expectClose(await device.download(out), expected, 2e-5);
    }));

  test('compose is a + b o (id + a)', () =>
    eachShape(async (device, shape, n) => {
      const a = noiseField(n, 10, 2);
      const b = noiseField(n, 13, 2);
      const out = field(device, n);
      device.kernels.compose(upload(device, a), upload(device, b), shape, out);
      for (let k = 0; k < 3; k++) {
        const expected = everyVoxel(
          shape,
          (x, y, z, i) => a[k][i] + interpolated(b[k], shape, x + a[0][i], y + a[1][i], z + a[2][i]),
        );
        expectClose(await device.download(out[k]), expected, 4e-5);
      }
    }));

  test('jacobian of an affine displacement is its determinant, borders included', () =>
    eachShape(async (device, shape, n) => {
      // An axis of one voxel has no derivative: there the map keeps its unit.
      const m = MATRIX.map((value, i) => (i % 4 < 3 && shape[i % 4] === 1 ? (i % 4 === i >> 2 ? 1 : 0) : value));
      const u = [0, 1, 2].map((k) =>
        Float32Array.from(everyVoxel(shape, (x, y, z) => transformed(m, x, y, z)[k] - [x, y, z][k])),
      );
      const out = device.alloc(n);
      device.kernels.jacobian(upload(device, [u[0], u[1], u[2]]), shape, out);
      const det =
        m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]);
      expectClose(await device.download(out), new Float64Array(n).fill(det), 2e-5);
    }));
}
