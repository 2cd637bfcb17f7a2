import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';

export const affineWarpNearest =
  (machine: Machine): Kernels['affineWarpNearest'] =>
  (image, imageShape, matrix, u, shape, output, outside) => {
    const voxels = size(shape);
    const from = machine.pointer(image, size(imageShape));
    const to = machine.pointer(output, voxels);
    const field = u ? [1, ...machine.pointers(u, voxels)] : [0, 0, 0, 0];
    machine.temporary(96, (m) => {
      machine.writeDoubles(m, matrix);
      const values = [from, ...imageShape, m, ...field, to, shape[0], shape[1], outside];
      machine.dispatch('affineWarpNearest', values, shape[2], { voxels });
    });
  };
