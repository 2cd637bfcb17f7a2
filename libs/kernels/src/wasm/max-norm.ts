import type { Kernels } from '../device.ts';
import { BLOCK, type Machine } from './machine.ts';

export const maxNorm =
  (machine: Machine): Kernels['maxNorm'] =>
  async (u, length) => {
    const blocks = Math.ceil(length / BLOCK);
    const field = machine.pointers(u, length);
    return machine.temporary(blocks * 8, (partials) => {
      machine.dispatch('maxNorm', [...field, length, partials], blocks, { voxels: length });
      return Math.sqrt(machine.readDoubles(partials, blocks).reduce((most, value) => Math.max(most, value), 0));
    });
  };
