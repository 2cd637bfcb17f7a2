/**
 * What every backend must answer: each kernel against a float64 oracle written from its definition alone, on shapes that
 * divide by nothing, on axes of one voxel, on a single voxel and on none. A backend's test calls `conformance`.
 */
import { describe, expect, test } from 'vitest';
import type { Buffer, Device, Field, Shape } from './device.ts';

/** Odd sizes, rows of every length modulo 4, rows shorter than a vector, flat images, more planes than threads. */
const SHAPES: readonly Shape[] = [
  [1, 1, 1],
  [3, 2, 1],
  [1, 7, 5],
  [9, 1, 6],
  [13, 11, 7],
  [10, 37, 3],
  [8, 8, 8],
  [35, 6, 33],
];

type Values = Float32Array;
type Triple = readonly [Values, Values, Values];

/** Linear congruential: the same numbers in every run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
const noise = (length: number, seed: number, scale = 1): Values => {
  const next = randoms(seed);
  return Float32Array.from({ length }, () => (next() - 0.5) * 2 * scale);
};
const noiseField = (length: number, seed: number, scale: number): Triple => [
  noise(length, seed, scale),
  noise(length, seed + 1, scale),
  noise(length, seed + 2, scale),
];
const size = (shape: Shape) => shape[0] * shape[1] * shape[2];
const clampTo = (value: number, n: number) => Math.min(Math.max(value, 0), n - 1);
const at = (shape: Shape, x: number, y: number, z: number) =>
  (clampTo(z, shape[2]) * shape[1] + clampTo(y, shape[1])) * shape[0] + clampTo(x, shape[0]);

function everyVoxel(shape: Shape, value: (x: number, y: number, z: number, i: number) => number): Float64Array {
  const out = new Float64Array(size(shape));
  for (let z = 0, i = 0; z < shape[2]; z++)
    for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[0]; x++, i++) out[i] = value(x, y, z, i);
  return out;
}

/** The eight corners' weighted mean, weights multiplied out: another form than the kernels' nested lerps. */
function interpolated(image: Values, shape: Shape, x: number, y: number, z: number): number {
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
const inside = (shape: Shape, p: readonly number[]) => p.every((v, k) => v >= -0.5 && v < shape[k] - 0.5);

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
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
const MATRIX = [0.9, -0.2, 0.1, 0.71237, 0.15, 1.1, -0.05, -0.41753, 0.02, 0.1, 0.85, 0.31369];
const transformed = (m: readonly number[], x: number, y: number, z: number) =>
  [0, 4, 8].map((r) => m[r] * x + m[r + 1] * y + m[r + 2] * z + m[r + 3]);

export interface Tolerances {
  /** Of the mean local correlation. */
  readonly correlation: number;
}

/**
 * Tolerances: images are of order 1 and float32 has 6e-8 of precision. Sums of some ten weights: 1e-6. Interpolation at
 * coordinates up to 40, whose float32 spacing is 4e-6, times differences up to 2: 2e-5. LNCC divides differences of sums
 * of up to 125 products: 3e-4 of the largest force.
 */
export function conformance(
  name: string,
  open: () => Promise<Device>,
  { correlation }: Tolerances = { correlation: 1e-6 },
): void {
  /** Runs with a fresh device; every buffer must be gone when its scope is. */
  const withDevice = async (work: (device: Device) => Promise<void>) => {
    const device = await open();
    try {
      await device.scope(() => work(device));
      expect(device.memory().bytes).toBe(0);
    } finally {
      await device.close();
    }
  };
  const upload = (device: Device, u: Triple): Field => [device.upload(u[0]), device.upload(u[1]), device.upload(u[2])];
  const field = (device: Device, n: number): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];
  const eachShape = (work: (device: Device, shape: Shape, n: number) => Promise<void>) =>
    withDevice(async (device) => {
      for (const shape of SHAPES) await device.scope(() => work(device, shape, size(shape)));
    });

  describe(name, () => {
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
        const warped = everyVoxel(to, (x, y, z, i) =>
          value(transformed(MATRIX, x + u[0][i], y + u[1][i], z + u[2][i])),
        );
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

    test.each([1, 2, 3])(
      'lncc of radius %s is the mean of E, and its force the derivative, found by differences',
      (r) =>
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
          m[0] * (m[5] * m[10] - m[6] * m[9]) -
          m[1] * (m[4] * m[10] - m[6] * m[8]) +
          m[2] * (m[4] * m[9] - m[5] * m[8]);
        expectClose(await device.download(out), new Float64Array(n).fill(det), 2e-5);
      }));

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
  });
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
