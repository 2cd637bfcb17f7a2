import type { Shape } from '../device.ts';
import type { ScalarField } from './scalar-field.ts';
import { trilinear } from './trilinear.ts';

export function compose(a: ScalarField, b: ScalarField, shape: Shape, output: ScalarField): void {
  const [nx, ny, nz] = shape;
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++)
        for (let k = 0; k < 3; k++)
          output[k][i] = a[k][i] + trilinear(b[k], shape, x + a[0][i], y + a[1][i], z + a[2][i]);
}
