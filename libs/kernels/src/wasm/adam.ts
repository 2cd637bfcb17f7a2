import type { Kernels } from '../device.ts';
import { BLOCK, type Machine } from './machine.ts';

export const adam =
  (machine: Machine): Kernels['adam'] =>
  async (gradient, m, v, iteration, { beta1, beta2, epsilon, limit }, step) => {
    const n = step[0].length;
    const blocks = Math.ceil(n / BLOCK);
    const d = machine.pointers(step, n);
    const fields = [...machine.pointers(gradient, n), ...machine.pointers(m, n), ...machine.pointers(v, n), ...d];
    const corrections = [1 / (1 - beta1 ** iteration), 1 / (1 - beta2 ** iteration)];
    machine.temporary(blocks * 8, (partials) => {
      const values = [...fields, n, beta1, beta2, ...corrections, epsilon, partials];
      machine.dispatch('adamDirection', values, blocks, { voxels: n });
      const most = Math.sqrt(machine.readDoubles(partials, blocks).reduce((a, b) => Math.max(a, b), 0));
      const scale = limit / Math.max(1, most);
      for (const component of d) machine.dispatch('axpby', [scale, component, 0, component, n], blocks, { voxels: n });
    });
  };
