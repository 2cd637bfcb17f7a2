/** Smoothing before an image is sampled at larger steps than its voxels. */
import type { Affine, Shape3 } from '@engram/volume';

/** Below this step (in input voxels) nothing is smoothed: a template 1.1 times larger must not blur a brain. */
const LEAST_STEP = 1.25;

/**
 * The image, smoothed along each axis that `matrix` (output voxel → input voxel) crosses in steps of more than 1.25 voxels:
 * Gaussian of sigma 0.5 √(step² − 1) voxels, cut at 3 sigma, border clamped. Two voxels' step gives 0.87, four give 1.94:
 * what a pyramid of halvings does. Returns the input itself when no axis needs it.
 */
export function smoothForStep(data: Float32Array, shape: Shape3, matrix: Affine): Float32Array {
  return sigmaForStep(matrix).reduce(
    (out, sigma, axis) => (sigma > 0 ? smoothAxis(out, shape, axis, sigma) : out),
    data,
  );
}

/** The Gaussians' sigma along x, y, z, voxels; 0 where nothing is to be smoothed. */
export function sigmaForStep(matrix: Affine): [number, number, number] {
  const along = (axis: number): number => {
    const step = Math.hypot(matrix[axis * 4], matrix[axis * 4 + 1], matrix[axis * 4 + 2]);
    return step > LEAST_STEP ? 0.5 * Math.sqrt(step * step - 1) : 0;
  };
  return [along(0), along(1), along(2)];
}

/** Gaussian along one axis; sigma in voxels. */
export function smoothAxis(data: Float32Array, shape: Shape3, axis: number, sigma: number): Float32Array {
  const weights = gaussianTaps(sigma);
  return axis === 0 ? alongLines(data, shape[0], weights) : acrossRows(data, shape, axis, weights);
}

function gaussianTaps(sigma: number): Float64Array {
  const radius = Math.max(1, Math.ceil(3 * sigma));
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-((k - radius) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

/** Along x: each line is copied between its repeated ends, so that the sums need no clamping. */
function alongLines(data: Float32Array, n: number, weights: Float64Array): Float32Array {
  const radius = (weights.length - 1) / 2;
  const line = new Float64Array(n + 2 * radius);
  const out = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += n) {
    line.fill(data[start], 0, radius);
    for (let i = 0; i < n; i++) line[radius + i] = data[start + i];
    line.fill(data[start + n - 1], radius + n);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * line[i + k];
      out[start + i] = sum;
    }
  }
  return out;
}

/** Along y or z: whole rows (or planes) are weighted and added, so that memory is read in its own order. */
function acrossRows(data: Float32Array, shape: Shape3, axis: number, weights: Float64Array): Float32Array {
  const n = shape[axis];
  const inner = axis === 1 ? shape[0] : shape[0] * shape[1];
  const radius = (weights.length - 1) / 2;
  const out = new Float32Array(data.length);
  const row = new Float64Array(inner);
  for (let slab = 0; slab < data.length; slab += n * inner)
    for (let i = 0; i < n; i++) {
      row.fill(0);
      for (let k = 0; k < weights.length; k++) {
        const w = weights[k];
        const from = slab + Math.min(n - 1, Math.max(0, i + k - radius)) * inner;
        for (let x = 0; x < inner; x++) row[x] += w * data[from + x];
      }
      out.set(row, slab + i * inner);
    }
  return out;
}
