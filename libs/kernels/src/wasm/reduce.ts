import type { Kernels } from '../device.ts';
import { BLOCK, type Machine } from './machine.ts';

export const reduce =
  (machine: Machine): Kernels['reduce'] =>
  async (input, length) => {
    const blocks = Math.ceil(length / BLOCK);
    const from = machine.pointer(input, length);
    return machine.temporary(blocks * 24, (partials) => {
      machine.dispatch('reduce', [from, length, partials], blocks, { voxels: length });
      const found = machine.readDoubles(partials, blocks * 3);
      let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
      for (let i = 0; i < found.length; i += 3) {
        min = Math.min(min, found[i]);
        max = Math.max(max, found[i + 1]);
        sum += found[i + 2];
      }
      return { min, max, sum };
    });
  };
