import type { Shape } from '../device.ts';
import { isInside, trilinear } from './trilinear.ts';

export function affine(
  image: Float32Array,
  imageShape: Shape,
  m: readonly number[],
  shape: Shape,
  output: Float32Array,
  outside: number | null = null,
): void {
  const [nx, ny, nz] = shape;
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const px = m[0] * x + m[1] * y + m[2] * z + m[3];
        const py = m[4] * x + m[5] * y + m[6] * z + m[7];
        const pz = m[8] * x + m[9] * y + m[10] * z + m[11];
        output[i] =
          outside === null || isInside(imageShape, px, py, pz) ? trilinear(image, imageShape, px, py, pz) : outside;
      }
}
