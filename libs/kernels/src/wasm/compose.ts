import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';

export const compose =
  (machine: Machine): Kernels['compose'] =>
  (a, b, shape, output) => {
    const n = size(shape);
    const values = [...machine.pointers(a, n), ...machine.pointers(b, n), ...machine.pointers(output, n), ...shape];
    machine.dispatch('compose', values, shape[2], { voxels: n });
  };
