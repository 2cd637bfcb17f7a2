import type { Shape } from '../device.ts';
import type { ScalarField } from './scalar-field.ts';
import { isInside, trilinear } from './trilinear.ts';

export function affineWarp(
  image: Float32Array,
  imageShape: Shape,
  m: readonly number[],
  u: ScalarField,
  shape: Shape,
  output: Float32Array,
  outside: number | null = null,
): void {
  const [nx, ny, nz] = shape;
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const dx = x + u[0][i];
        const dy = y + u[1][i];
        const dz = z + u[2][i];
        const px = m[0] * dx + m[1] * dy + m[2] * dz + m[3];
        const py = m[4] * dx + m[5] * dy + m[6] * dz + m[7];
        const pz = m[8] * dx + m[9] * dy + m[10] * dz + m[11];
        output[i] =
          outside === null || isInside(imageShape, px, py, pz) ? trilinear(image, imageShape, px, py, pz) : outside;
      }
}
