import type { Device } from '@engram/kernels';
import { type DisplacementField, invertAffine, linearPart, type Volume } from '@engram/volume';

/**
 * det of the Jacobian of x -> x + u(x): the local change of volume, below 0 where the map folds. Central differences,
 * one-sided at the border. In voxels or in mm it is the same number.
 */
export function jacobianDeterminant(field: DisplacementField, device: Device): Promise<Volume> {
  return device.scope(async () => {
    const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = linearPart(invertAffine(field.affine));
    const { x, y, z } = field;
    const values = new Float32Array(x.length);
    const row = (a: number, b: number, c: number) => {
      for (let i = 0; i < values.length; i++) values[i] = a * x[i] + b * y[i] + c * z[i];
      return device.upload(values);
    };
    const output = device.alloc(x.length);
    device.kernels.jacobian([row(xx, xy, xz), row(yx, yy, yz), row(zx, zy, zz)], field.shape, output);
    return { shape: field.shape, affine: field.affine, frames: 1, data: await device.download(output) };
  });
}
