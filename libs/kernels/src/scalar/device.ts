import { createBufferRegistry } from '../buffer-registry.ts';
import type { Buffer, Device, Kernels, Shape } from '../device.ts';
import { outOfMemory } from '../device-errors.ts';
import { downsampledShape } from '../downsampled-shape.ts';
import { adam } from './adam.ts';
import { addAttenuated } from './add-attenuated.ts';
import { affine } from './affine.ts';
import { affineWarp } from './affine-warp.ts';
import { affineWarpNearest } from './affine-warp-nearest.ts';
import { axpby } from './axpby.ts';
import { compose } from './compose.ts';
import { downsample } from './downsample.ts';
import { gaussian } from './gaussian.ts';
import { jacobian } from './jacobian.ts';
import { lncc } from './lncc.ts';
import { maxNorm } from './max-norm.ts';
import { reduce } from './reduce.ts';
import { resize } from './resize.ts';
import { samplePoints } from './sample-points.ts';
import { squaredNorm } from './squared-norm.ts';
import { warp } from './warp.ts';

/**
 * The specification as a device: plain TypeScript on one thread. Slow; for tests and machines without WASM SIMD.
 * @throws DEVICE_OUT_OF_MEMORY beyond `maxBytes`.
 */
export function openScalarDevice(maxBytes: number): Device {
  let bytes = 0;
  let peak = 0;
  const buffers = createBufferRegistry<Float32Array>((freed) => {
    bytes -= freed.byteLength;
  });

  const create = (values: Float32Array): Buffer => {
    bytes += values.byteLength;
    peak = Math.max(peak, bytes);
    return buffers.add(values.length, values);
  };
  const reserve = (length: number) => {
    if (bytes + length * 4 > maxBytes) throw outOfMemory(length * 4, bytes, maxBytes);
  };
  const data = buffers.get;
  const field = buffers.getField;
  const size = (shape: Shape) => shape[0] * shape[1] * shape[2];

  const kernels: Kernels = {
    gaussian: (input, shape, sigma, output) =>
      gaussian(data(input, size(shape)), shape, sigma, data(output, size(shape))),
    warp: (image, u, shape, output) => {
      const n = size(shape);
      warp(data(image, n), field(u, n), shape, data(output, n));
    },
    affine: (image, imageShape, matrix, shape, output, outside) =>
      affine(data(image, size(imageShape)), imageShape, matrix, shape, data(output, size(shape)), outside),
    affineWarp: (image, imageShape, matrix, u, shape, output, outside) => {
      const n = size(shape);
      affineWarp(data(image, size(imageShape)), imageShape, matrix, field(u, n), shape, data(output, n), outside);
    },
    affineWarpNearest: (image, imageShape, matrix, u, shape, output, outside) => {
      const n = size(shape);
      const source = data(image, size(imageShape));
      affineWarpNearest(source, imageShape, matrix, u ? field(u, n) : null, shape, data(output, n), outside);
    },
    compose: (a, b, shape, output) => {
      const n = size(shape);
      compose(field(a, n), field(b, n), shape, field(output, n));
    },
    lncc: async (fixed, moving, mask, shape, radius, epsilon, force) => {
      const n = size(shape);
      const within = mask ? data(mask, n) : null;
      return lncc(data(fixed, n), data(moving, n), within, shape, radius, epsilon, field(force, n));
    },
    downsample: (input, shape, factor, output) =>
      downsample(data(input, size(shape)), shape, factor, data(output, size(downsampledShape(shape, factor)))),
    resize: (input, from, to, gain, output) => resize(data(input, size(from)), from, to, gain, data(output, size(to))),
    maxNorm: async (u, length) => maxNorm(field(u, length), length),
    axpby: (alpha, x, beta, y) => axpby(alpha, data(x, y.length), beta, data(y)),
    squaredNorm: (u, length, output) => squaredNorm(field(u, length), length, data(output, length)),
    addAttenuated: (x, energy, threshold, y) =>
      addAttenuated(data(x, y.length), data(energy, y.length), threshold, data(y)),
    adam: async (gradient, m, v, iteration, options, step) => {
      const n = step[0].length;
      adam(field(gradient, n), field(m, n), field(v, n), iteration, options, field(step, n));
    },
    jacobian: (u, shape, output) => jacobian(field(u, size(shape)), shape, data(output, size(shape))),
    samplePoints: (image, shape, points, output, outside) =>
      samplePoints(data(image, size(shape)), shape, data(points), data(output, Math.floor(points.length / 3)), outside),
    reduce: async (input, length) => reduce(data(input, length), length),
  };

  return {
    info: { backend: 'scalar', name: 'scalar (1 thread)', threads: 1 },
    kernels,
    alloc: (length) => {
      reserve(length);
      return create(new Float32Array(length));
    },
    upload: (values) => {
      reserve(values.length);
      return create(values.slice());
    },
    download: async (buffer, out = new Float32Array(buffer.length)) => {
      out.set(data(buffer));
      return out;
    },
    copy: (from, to) => data(to, from.length).set(data(from)),
    fill: (buffer, value) => {
      data(buffer).fill(value);
    },
    scope: buffers.scope,
    memory: () => ({ bytes, peak }),
    close: async () => buffers.disposeAll(),
  };
}
