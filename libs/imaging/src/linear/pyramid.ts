/** Coarser copies of an image for a coarse-to-fine search. */
import { type Affine, multiplyAffines, type Shape3, type Volume, voxelSize } from '@engram/volume';

export interface Level {
  readonly shape: Shape3;
  /** Voxel to RAS mm. */
  readonly affine: Affine;
  readonly data: Float32Array;
}

/**
 * Copies whose voxels are close to each of `spacings` (mm, ascending), never finer than the image's own. An axis is halved,
 * behind a Gaussian of one voxel (half the new step), for as long as the result stays below 1.25 times the wanted spacing;
 * thick slices are thus left alone while the plane is thinned. New voxels lie midway between the old, so that the field of
 * view is kept. Values that are not finite count as 0.
 */
export function pyramid(image: Volume, spacings: readonly number[]): Level[] {
  let level: Level = { shape: image.shape, affine: image.affine, data: finite(image.data) };
  return spacings.map((spacing) => {
    for (let axis = 0; axis < 3; axis++) {
      while (voxelSize(level.affine)[axis] * 2 <= 1.25 * spacing && level.shape[axis] >= 8) level = halve(level, axis);
    }
    return level;
  });
}

function finite(data: Float32Array): Float32Array {
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) return data.map((v) => (Number.isFinite(v) ? v : 0));
  }
  return data;
}

/** Weights of a Gaussian of sigma 1 at half-voxel distances 0.5, 1.5, 2.5. */
const taps = [0.5, 1.5, 2.5].map((d) => Math.exp((-d * d) / 2));
const total = 2 * taps.reduce((a, b) => a + b, 0);
const [w0, w1, w2] = taps.map((w) => w / total);

function halve({ shape, affine, data }: Level, axis: number): Level {
  const n = shape[axis];
  const half = n >> 1;
  const size = (k: number) => (k === axis ? half : shape[k]);
  const to: Shape3 = [size(0), size(1), size(2)];
  const inner = axis === 0 ? 1 : axis === 1 ? shape[0] : shape[0] * shape[1];
  const outer = data.length / (inner * n);
  const out = new Float32Array(to[0] * to[1] * to[2]);
  // Offsets of the six voxels around each new one, of one line: the same for all lines.
  const near = Array.from({ length: 6 }, (_, tap) =>
    Int32Array.from({ length: half }, (__, i) => Math.min(n - 1, Math.max(0, 2 * i - 2 + tap)) * inner),
  );
  const [c, b, a, d, e, f] = near;
  for (let o = 0, at = 0; o < outer; o++) {
    const source = o * n * inner;
    for (let i = 0; i < half; i++) {
      for (let x = source; x < source + inner; x++, at++) {
        out[at] =
          w0 * (data[a[i] + x] + data[d[i] + x]) +
          w1 * (data[b[i] + x] + data[e[i] + x]) +
          w2 * (data[c[i] + x] + data[f[i] + x]);
      }
    }
  }
  const s = (k: number) => (k === axis ? 2 : 1);
  const t = (k: number) => (k === axis ? 0.5 : 0);
  const step: Affine = [s(0), 0, 0, t(0), 0, s(1), 0, t(1), 0, 0, s(2), t(2), 0, 0, 0, 1];
  return { shape: to, affine: multiplyAffines(affine, step), data: out };
}
