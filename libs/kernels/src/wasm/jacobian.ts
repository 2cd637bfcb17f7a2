import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';

export const jacobian =
  (machine: Machine): Kernels['jacobian'] =>
  (u, shape, output) => {
    const n = size(shape);
    const values = [...machine.pointers(u, n), machine.pointer(output, n), ...shape];
    machine.dispatch('jacobian', values, shape[2], { voxels: n, scratch: 4 * (shape[0] * 4 + 64) });
  };
