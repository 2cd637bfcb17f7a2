import type { Shape } from '../device.ts';
import { downsampledShape } from '../downsampled-shape.ts';
import { gaussian } from './gaussian.ts';

export function downsample(input: Float32Array, shape: Shape, factor: number, output: Float32Array): Shape {
  const smooth = new Float32Array(shape[0] * shape[1] * shape[2]);
  const sigma = factor > 1 ? 0.5 * factor : 0;
  gaussian(input, shape, [sigma, sigma, sigma], smooth);
  const to = downsampledShape(shape, factor);
  for (let z = 0, i = 0; z < to[2]; z++)
    for (let y = 0; y < to[1]; y++)
      for (let x = 0; x < to[0]; x++, i++)
        output[i] = smooth[(z * factor * shape[1] + y * factor) * shape[0] + x * factor];
  return to;
}
