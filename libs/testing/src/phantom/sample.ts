/** Plain resampling and smoothing for phantoms: independent of the engine's kernels, which phantoms are there to judge. */
import { type Affine, invertAffine, multiplyAffines, type Shape3 } from '@engram/volume';

export interface Image {
  readonly shape: Shape3;
  readonly affine: Affine;
  readonly data: ArrayLike<number>;
}

/** Trilinear value at voxel coordinates (x, y, z); `outside` beyond the outermost voxel centres. */
export function trilinear(
  data: ArrayLike<number>,
  [nx, ny, nz]: Shape3,
  x: number,
  y: number,
  z: number,
  outside: number,
): number {
  if (!(x >= 0 && y >= 0 && z >= 0 && x <= nx - 1 && y <= ny - 1 && z <= nz - 1)) return outside;
  const i = Math.min(nx - 2, Math.floor(x));
  const j = Math.min(ny - 2, Math.floor(y));
  const k = Math.min(nz - 2, Math.floor(z));
  const [fx, fy, fz] = [x - i, y - j, z - k];
  const row = nx;
  const slice = nx * ny;
  const at = k * slice + j * row + i;
  const near =
    (data[at] * (1 - fx) + data[at + 1] * fx) * (1 - fy) + (data[at + row] * (1 - fx) + data[at + row + 1] * fx) * fy;
  const up = at + slice;
  const far =
    (data[up] * (1 - fx) + data[up + 1] * fx) * (1 - fy) + (data[up + row] * (1 - fx) + data[up + row + 1] * fx) * fy;
  return near * (1 - fz) + far * fz;
}

/** Value of the nearest voxel at voxel coordinates; `outside` beyond the image. */
export function nearest(
  data: ArrayLike<number>,
  [nx, ny, nz]: Shape3,
  x: number,
  y: number,
  z: number,
  outside: number,
): number {
  const [i, j, k] = [Math.round(x), Math.round(y), Math.round(z)];
  if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) return outside;
  return data[(k * ny + j) * nx + i];
}

/** Separable Gaussian with standard deviations in voxels, cut at 4 sigma, border clamped. */
export function smooth(data: Float32Array, shape: Shape3, sigma: readonly [number, number, number]): Float32Array {
  let source = data;
  const strides = [1, shape[0], shape[0] * shape[1]];
  for (let axis = 0; axis < 3; axis++) {
    const s = sigma[axis];
    if (s < 1e-3 || shape[axis] === 1) continue;
    const radius = Math.max(1, Math.ceil(4 * s));
    const weights = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-0.5 * ((k - radius) / s) ** 2));
    const sum = weights.reduce((a, b) => a + b, 0);
    const n = shape[axis];
    const stride = strides[axis];
    const out = new Float32Array(source.length);
    for (let start = 0; start < source.length; start++) {
      const position = Math.floor(start / stride) % n;
      if (position !== 0) continue;
      for (let i = 0; i < n; i++) {
        let value = 0;
        for (let k = -radius; k <= radius; k++) {
          const from = Math.min(n - 1, Math.max(0, i + k));
          value += weights[k + radius] * source[start + from * stride];
        }
        out[start + i * stride] = value / sum;
      }
    }
    source = out;
  }
  return source === data ? Float32Array.from(data) : source;
}

/** Resamples onto another grid: output voxel → RAS mm → `through` (RAS mm to RAS mm) → input voxel. */
export function resample(
  image: Image,
  grid: { readonly shape: Shape3; readonly affine: Affine },
  through: Affine,
  mode: 'trilinear' | 'nearest' = 'trilinear',
): Float32Array {
  const m = multiplyAffines(invertAffine(image.affine), multiplyAffines(through, grid.affine));
  const [nx, ny, nz] = grid.shape;
  const out = new Float32Array(nx * ny * nz);
  const pick = mode === 'trilinear' ? trilinear : nearest;
  let at = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++)
        out[at++] = pick(
          image.data,
          image.shape,
          m[0] * i + m[1] * j + m[2] * k + m[3],
          m[4] * i + m[5] * j + m[6] * k + m[7],
          m[8] * i + m[9] * j + m[10] * k + m[11],
          0,
        );
  return out;
}
