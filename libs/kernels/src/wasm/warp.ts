import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';

export const warp =
  (machine: Machine): Kernels['warp'] =>
  (image, u, shape, output) => {
    const n = size(shape);
    const values = [machine.pointer(image, n), ...machine.pointers(u, n), machine.pointer(output, n), ...shape];
    machine.dispatch('warp', values, shape[2], { voxels: n });
  };
