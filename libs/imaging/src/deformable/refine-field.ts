import type { Device, Field, Shape } from '@engram/kernels';

/** A displacement in voxels on the grid that is twice as fine: voxel i of `from` is voxel 2i of `to`. */
export function refineField(device: Device, u: Field, from: Shape, to: Shape): Field {
  const half = [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0];
  const component = (k: 0 | 1 | 2) => {
    const fine = device.alloc(to[0] * to[1] * to[2]);
    device.kernels.affine(u[k], from, half, to, fine, null);
    device.kernels.axpby(2, fine, 0, fine);
    return fine;
  };
  return [component(0), component(1), component(2)];
}
