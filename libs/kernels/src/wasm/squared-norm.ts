import type { Kernels } from '../device.ts';
import { BLOCK, type Machine } from './machine.ts';

export const squaredNorm =
  (machine: Machine): Kernels['squaredNorm'] =>
  (u, length, output) => {
    const values = [...machine.pointers(u, length), length, machine.pointer(output, length)];
    machine.dispatch('squaredNorm', values, Math.ceil(length / BLOCK), { voxels: length });
  };
