import type { Kernels } from '../device.ts';
import { downsampledShape } from '../downsampled-shape.ts';
import { gaussianVolume } from './gaussian.ts';
import { type Machine, size } from './machine.ts';

export const downsample =
  (machine: Machine): Kernels['downsample'] =>
  (input, shape, factor, output) => {
    const n = size(shape);
    const to = downsampledShape(shape, factor);
    const sigma = factor > 1 ? 0.5 * factor : 0;
    const source = machine.pointer(input, n);
    const target = machine.pointer(output, size(to));
    machine.temporary(n * 4, (smooth) => {
      gaussianVolume(machine, source, shape, [sigma, sigma, sigma], smooth);
      const values = [smooth, shape[0], shape[1], factor, target, to[0], to[1]];
      machine.dispatch('subsample', values, to[2], { voxels: n });
    });
    return to;
  };
