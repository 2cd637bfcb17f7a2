import type { Kernels } from '../device.ts';
import { resizeMatrix } from '../resize-matrix.ts';
import { affineKernel } from './affine.ts';
import { affineValues } from './affine-sampling.ts';
import { type Machine, size } from './machine.ts';

export const resize =
  (machine: Machine): Kernels['resize'] =>
  (input, from, to, gain, output) => {
    const buffers = [machine.buffer(input, size(from)), machine.buffer(output, size(to))];
    machine.run(affineKernel, to, buffers, affineValues(resizeMatrix(from, to), from, null, gain));
  };
