import type { Kernels } from '../device.ts';
import { BLOCK, type Machine } from './machine.ts';

export const axpby =
  (machine: Machine): Kernels['axpby'] =>
  (alpha, x, beta, y) => {
    const values = [alpha, machine.pointer(x, y.length), beta, machine.pointer(y, y.length), y.length];
    machine.dispatch('axpby', values, Math.ceil(y.length / BLOCK), { voxels: y.length });
  };
