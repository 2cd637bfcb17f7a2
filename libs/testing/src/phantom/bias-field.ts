import type { Shape3 } from '@engram/volume';
import type { Random } from './random.ts';
import { smooth, trilinear } from './sample.ts';

/** exp of a smooth random field of standard deviation `sd` (of the logarithm) over the grid; exactly 1 for sd 0. */
export function biasField(shape: Shape3, sd: number, rng: Random): Float32Array {
  const [nx, ny, nz] = shape;
  const out = new Float32Array(nx * ny * nz).fill(1);
  if (sd === 0) return out;
  const knots: Shape3 = [6, 6, 6];
  const noise = smooth(
    Float32Array.from({ length: 216 }, () => rng.normal()),
    knots,
    [1, 1, 1],
  );
  const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
  const spread = Math.sqrt(noise.reduce((a, b) => a + (b - mean) ** 2, 0) / noise.length);
  let at = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const scale = (index: number, n: number) => (n > 1 ? (index / (n - 1)) * 5 : 0);
        const value = trilinear(noise, knots, scale(i, nx), scale(j, ny), scale(k, nz), 0);
        out[at++] = Math.exp(((value - mean) / spread) * sd);
      }
  return out;
}
