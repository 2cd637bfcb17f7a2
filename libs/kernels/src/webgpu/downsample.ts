import type { Kernels } from '../device.ts';
import { downsampledShape } from '../downsampled-shape.ts';
import { gaussianVolume } from './gaussian.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';

const subsampleKernel = kernel('subsample', {
  read: ['input'],
  write: ['output'],
  parameters: { ix: 'i32', iy: 'i32', factor: 'i32' },
  body: /* wgsl */ `
  let source = at * p.factor;
  output[i] = input[(source.z * p.iy + source.y) * p.ix + source.x];`,
});

export const downsample =
  (machine: Machine): Kernels['downsample'] =>
  (input, shape, factor, output) => {
    const n = size(shape);
    const to = downsampledShape(shape, factor);
    const sigma = factor > 1 ? 0.5 * factor : 0;
    const [source, target] = [machine.buffer(input, n), machine.buffer(output, size(to))];
    machine.temporaries(1, n, ([smooth]) => {
      gaussianVolume(machine, source, shape, [sigma, sigma, sigma], smooth);
      machine.run(subsampleKernel, to, [smooth, target], { ix: shape[0], iy: shape[1], factor });
    });
    return to;
  };
