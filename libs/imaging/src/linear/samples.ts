/** The points of the fixed image at which two images are compared. */
import { type Affine, applyAffine, invertAffine, type MaskVolume, multiplyAffines, type Vec3 } from '@engram/volume';
import type { Level } from './pyramid.ts';
import { randomNumbers } from './random-numbers.ts';

export interface Samples {
  readonly count: number;
  /** RAS mm, x y z by turns. */
  readonly points: Float64Array;
  /** Of the fixed image, trilinear. */
  readonly values: Float32Array;
}

/**
 * About `wanted` points spread evenly over the mask (or the whole image), each moved off its voxel centre by up to half a
 * step: samples on the grid would reward transforms that keep grid on grid, where interpolation blurs least (Tsao 2003;
 * Thévenaz, Bierlaire, Unser 2008). The same seed gives the same points.
 */
export function takeSamples(level: Level, mask: MaskVolume | undefined, wanted: number, seed: number): Samples {
  const random = randomNumbers(seed);
  const [nx, ny, nz] = level.shape;
  const inside = mask === undefined ? undefined : maskTest(mask, level.affine);
  let eligible = 0;
  if (inside === undefined) eligible = nx * ny * nz;
  else {
    for (let k = 0; k < nz; k++)
      for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) if (inside(i, j, k)) eligible++;
  }
  // One random offset into every run of `stride` eligible voxels: even cover, no lattice.
  const stride = Math.max(1, eligible / Math.max(1, wanted));
  const capacity = Math.ceil(eligible / stride) + 1;
  const points = new Float64Array(3 * capacity);
  const values = new Float32Array(capacity);
  let count = 0;
  let seen = 0;
  let next = random() * stride;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        if (inside !== undefined && !inside(i, j, k)) continue;
        if (seen++ < next) continue;
        next = (Math.floor(next / stride) + 1 + random()) * stride;
        if (count === capacity) continue;
        const p: Vec3 = [jitter(i, nx, random), jitter(j, ny, random), jitter(k, nz, random)];
        const [x, y, z] = applyAffine(level.affine, p);
        points[3 * count] = x;
        points[3 * count + 1] = y;
        points[3 * count + 2] = z;
        values[count++] = trilinearAt(level, p);
      }
  return { count, points: points.subarray(0, 3 * count), values: values.subarray(0, count) };
}

const jitter = (i: number, n: number, random: () => number) => Math.min(n - 1, Math.max(0, i + random() - 0.5));

/** Tells whether a voxel of the grid `affine` lies in the mask, by the mask's nearest voxel. */
function maskTest(mask: MaskVolume, affine: Affine): (i: number, j: number, k: number) => boolean {
  const m = multiplyAffines(invertAffine(mask.affine), affine);
  const [nx, ny, nz] = mask.shape;
  return (i, j, k) => {
    const x = Math.round(m[0] * i + m[1] * j + m[2] * k + m[3]);
    const y = Math.round(m[4] * i + m[5] * j + m[6] * k + m[7]);
    const z = Math.round(m[8] * i + m[9] * j + m[10] * k + m[11]);
    return x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz && mask.data[(z * ny + y) * nx + x] > 0;
  };
}

function trilinearAt({ shape: [nx, ny, nz], data }: Level, [x, y, z]: Vec3): number {
  const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const [fx, fy, fz] = [x - i, y - j, z - k];
  const at = (k * ny + j) * nx + i;
  const [dx, dy, dz] = [i + 1 < nx ? 1 : 0, j + 1 < ny ? nx : 0, k + 1 < nz ? nx * ny : 0];
  const row = (p: number) => data[p] + fx * (data[p + dx] - data[p]);
  const plane = (p: number) => row(p) + fy * (row(p + dy) - row(p));
  return plane(at) + fz * (plane(at + dz) - plane(at));
}
