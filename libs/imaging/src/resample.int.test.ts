import { type DeviceListing, listDevices, openDevice } from '@engram/kernels';
import { useSwiftshader } from '@engram/testing';
import type { DisplacementField, Shape3, Volume } from '@engram/volume';
import { afterAll, describe, expect, test } from 'vitest';
import { resample } from './resample.ts';

const shape: Shape3 = [37, 29, 23];
const affine = [0, 0, -2, 30, -1.5, 0, 0, 22, 0, 1, 0, -20, 0, 0, 0, 1];
const image: Volume = {
  shape,
  affine,
  frames: 2,
  data: Float32Array.from({ length: 2 * 37 * 29 * 23 }, (_, at) => Math.sin(at * 0.37) + Math.cos(at * 0.011) * 3),
};
const matrix = [0.98, 0.1, -0.05, 1.5, -0.1, 1.02, 0.03, -2, 0.06, -0.02, 0.97, 0.8, 0, 0, 0, 1];
const grid = { shape: [31, 27, 33] as Shape3, affine: [1.2, 0, 0, -14, 0, 1.3, 0, -20, 0, 0, 1.1, -18, 0, 0, 0, 1] };
const wave = (phase: number) =>
  Float32Array.from({ length: 31 * 27 * 33 }, (_, at) => 2 * Math.sin(at * 0.0007 + phase));
const field: DisplacementField = { ...grid, x: wave(0), y: wave(1), z: wave(2) };

useSwiftshader();
const available = (await listDevices()).filter((listing: DeviceListing) => listing.available);
describe.each(available.map(({ backend }) => backend))('on the %s device', async (backend) => {
  const device = await openDevice({ backend });
  afterAll(() => device.close());

  for (const interpolation of ['linear', 'nearest'] as const)
    for (const [name, transform] of [
      ['a matrix', { matrix }],
      ['a matrix and a field', { matrix, field }],
    ] as const)
      test(`${interpolation} resampling through ${name} gives what plain sampling gives`, async () => {
        const options = { ...transform, interpolation, outside: -7 };
        const [plain, fast] = [await resample(image, grid, options), await resample(image, grid, options, device)];
        let off = 0;
        for (let at = 0; at < plain.data.length; at++) if (!(Math.abs(plain.data[at] - fast.data[at]) < 2e-3)) off++;
        // Single precision puts a few points on the other side of a border. 45 of 27 621 lie half-way between two voxels as
        // far as float64 can tell, so that the nearest is a matter of the last digit.
        expect(off / plain.data.length).toBeLessThan(interpolation === 'nearest' ? 45 / 27_621 : 2e-4);
        expect(plain.data.filter((v) => v === -7).length).toBeGreaterThan(1000);
      });

  test('what lies outside can be marked as not a number', async () => {
    const out = await resample(image, grid, { matrix, outside: Number.NaN }, device);
    const plain = await resample(image, grid, { matrix, outside: Number.NaN });
    const holes = (data: Float32Array) => data.reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0);
    expect(holes(out.data)).toBeGreaterThan(1000);
    expect(Math.abs(holes(out.data) - holes(plain.data))).toBeLessThan(20);
  });
});
