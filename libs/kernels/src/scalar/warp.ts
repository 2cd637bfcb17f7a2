import type { Shape } from '../device.ts';
import type { ScalarField } from './scalar-field.ts';
import { trilinear } from './trilinear.ts';

export function warp(image: Float32Array, u: ScalarField, shape: Shape, output: Float32Array): void {
  const [nx, ny, nz] = shape;
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) output[i] = trilinear(image, shape, x + u[0][i], y + u[1][i], z + u[2][i]);
}
