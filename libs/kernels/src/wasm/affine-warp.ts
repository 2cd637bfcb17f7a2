import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';

export const affineWarp =
  (machine: Machine): Kernels['affineWarp'] =>
  (image, imageShape, matrix, u, shape, output, outside = null) => {
    const voxels = size(shape);
    const from = machine.pointer(image, size(imageShape));
    const to = machine.pointer(output, voxels);
    const field = machine.pointers(u, voxels);
    machine.temporary(96, (m) => {
      machine.writeDoubles(m, matrix);
      const limits = [shape[0], shape[1], outside === null ? 1 : 0, outside ?? 0];
      machine.dispatch('affineWarp', [from, ...imageShape, m, ...field, to, ...limits], shape[2], { voxels });
    });
  };
