import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';

export const affine =
  (machine: Machine): Kernels['affine'] =>
  (image, imageShape, matrix, shape, output, outside = null) => {
    const from = machine.pointer(image, size(imageShape));
    const to = machine.pointer(output, size(shape));
    machine.temporary(96, (m) => {
      machine.writeDoubles(m, matrix);
      const values = [from, ...imageShape, m, to, shape[0], shape[1], outside === null ? 1 : 0, outside ?? 0, 1];
      machine.dispatch('affine', values, shape[2], { voxels: size(shape) });
    });
  };
