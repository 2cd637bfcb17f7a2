import type { Kernels } from '../device.ts';
import { resizeMatrix } from '../resize-matrix.ts';
import { type Machine, size } from './machine.ts';

export const resize =
  (machine: Machine): Kernels['resize'] =>
  (input, from, to, gain, output) => {
    const source = machine.pointer(input, size(from));
    const target = machine.pointer(output, size(to));
    machine.temporary(96, (m) => {
      machine.writeDoubles(m, resizeMatrix(from, to));
      machine.dispatch('affine', [source, ...from, m, target, to[0], to[1], 1, 0, gain], to[2], { voxels: size(to) });
    });
  };
