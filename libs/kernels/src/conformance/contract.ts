/** What holds for every kernel and for the device. */
import { expect, test } from 'vitest';
import type { Buffer, Shape } from '../device.ts';
import { MATRIX, noise, noiseField, size } from './oracle.ts';
import { field, type UnderTest, upload } from './under-test.ts';

export function contract({ open, withDevice }: UnderTest): void {
  test('NaN spreads to what is computed from it and to nothing else', () =>
    withDevice(async (device) => {
      const shape: Shape = [9, 5, 4];
      const n = size(shape);
      const u = noiseField(n, 40, 2);
      u[1][17] = Number.NaN;
      const out = device.alloc(n);
      device.kernels.warp(device.upload(noise(n, 43)), upload(device, u), shape, out);
      const warped = await device.download(out);
      expect([...warped.keys()].filter((i) => Number.isNaN(warped[i]))).toEqual([17]);
      expect(await device.kernels.maxNorm(upload(device, u), n)).toBeNaN();
      device.kernels.affineWarp(device.upload(noise(n, 43)), shape, MATRIX, upload(device, u), shape, out, 5);
      expect((await device.download(out))[17]).toBe(5);
      expect((await device.kernels.reduce(device.upload(u[1]), n)).sum).toBeNaN();
    }));

  test('an empty volume is a no-op', () =>
    withDevice(async (device) => {
      const shape: Shape = [0, 4, 4];
      const [nothing, u] = [device.alloc(0), field(device, 0)];
      device.kernels.gaussian(nothing, shape, [1, 1, 1], nothing);
      device.kernels.warp(nothing, u, shape, nothing);
      device.kernels.jacobian(u, shape, nothing);
      expect(await device.kernels.lncc(nothing, nothing, null, shape, 2, 0.1, u)).toBe(0);
      expect(await device.download(nothing)).toHaveLength(0);
    }));

  test('a buffer that is too short, freed or of another device is refused', () =>
    withDevice(async (device) => {
      const short = device.alloc(7);
      const freed: Buffer = device.alloc(8);
      freed.dispose();
      freed.dispose();
      const refused = expect.objectContaining({ code: 'DEVICE_BUFFER_INVALID' });
      const smooth = (b: Buffer) => () => device.kernels.gaussian(b, [2, 2, 2], [1, 1, 1], b);
      expect(smooth(short)).toThrow(refused);
      expect(smooth(freed)).toThrow(refused);
      const other = await open();
      expect(smooth(other.alloc(8))).toThrow(refused);
      await other.close();
    }));

  test('a scope frees what it does not return, and nests', () =>
    withDevice(async (device) => {
      const kept = await device.scope(async () => {
        device.alloc(1000);
        const inner = await device.scope(async () => ({
          field: [device.alloc(10), device.alloc(10)],
          other: device.alloc(99),
        }));
        return inner.field;
      });
      const two = device.memory().bytes;
      expect(kept[0].length).toBe(10);
      kept[1].dispose();
      expect(device.memory().bytes).toBeLessThan(two);
      await expect(
        device.scope(async () => {
          device.alloc(5000);
          throw new Error('stopped');
        }),
      ).rejects.toThrow('stopped');
      kept[0].dispose();
      expect(device.memory().bytes).toBe(0);
    }));
}
