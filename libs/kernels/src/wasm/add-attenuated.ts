import type { Kernels } from '../device.ts';
import { BLOCK, type Machine } from './machine.ts';

export const addAttenuated =
  (machine: Machine): Kernels['addAttenuated'] =>
  (x, energy, threshold, y) => {
    const n = y.length;
    const values = [machine.pointer(x, n), machine.pointer(energy, n), threshold ** 2, machine.pointer(y, n), n];
    machine.dispatch('addAttenuated', values, Math.ceil(n / BLOCK), { voxels: n });
  };
