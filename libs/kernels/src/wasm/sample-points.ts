import type { Kernels } from '../device.ts';
import { BLOCK, type Machine, size } from './machine.ts';

export const samplePoints =
  (machine: Machine): Kernels['samplePoints'] =>
  (image, shape, points, output, outside = null) => {
    const count = Math.floor(points.length / 3);
    const from = machine.pointer(image, size(shape));
    const x = machine.pointer(points, 3 * count);
    const to = machine.pointer(output, count);
    const limits = [count, outside === null ? 1 : 0, outside ?? 0];
    const values = [from, ...shape, x, x + 4 * count, x + 8 * count, to, ...limits];
    machine.dispatch('samplePoints', values, Math.ceil(count / BLOCK), { voxels: count });
  };
