import type { Shape } from '../device.ts';
import type { ScalarField } from './scalar-field.ts';

export function affineWarpNearest(
  image: Float32Array,
  [ix, iy, iz]: Shape,
  m: readonly number[],
  u: ScalarField | null,
  shape: Shape,
  output: Float32Array,
  outside: number,
): void {
  const [nx, ny, nz] = shape;
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const px = u ? x + u[0][i] : x;
        const py = u ? y + u[1][i] : y;
        const pz = u ? z + u[2][i] : z;
        const qx = Math.floor(m[0] * px + m[1] * py + m[2] * pz + m[3] + 0.5);
        const qy = Math.floor(m[4] * px + m[5] * py + m[6] * pz + m[7] + 0.5);
        const qz = Math.floor(m[8] * px + m[9] * py + m[10] * pz + m[11] + 0.5);
        const within = qx >= 0 && qy >= 0 && qz >= 0 && qx < ix && qy < iy && qz < iz;
        output[i] = within ? image[(qz * iy + qy) * ix + qx] : outside;
      }
}
