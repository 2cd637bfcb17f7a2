/**
 * Sampling in plain TypeScript: cubic interpolation, which the device kernels do not have, and the oracle for those they do.
 */
import type { Shape3 } from '@engram/volume';

/** Value at voxel coordinates. Points up to half a voxel beyond the outermost centres count as inside and are clamped. */
export type Sampler = (x: number, y: number, z: number) => number;

export function isInside([nx, ny, nz]: Shape3, x: number, y: number, z: number): boolean {
  return x >= -0.5 && y >= -0.5 && z >= -0.5 && x < nx - 0.5 && y < ny - 0.5 && z < nz - 0.5;
}

export function nearestSampler(data: Float32Array, shape: Shape3, outside: number): Sampler {
  const [nx, ny, nz] = shape;
  const index = (v: number, n: number) => Math.min(n - 1, Math.max(0, Math.floor(v + 0.5)));
  return (x, y, z) =>
    isInside(shape, x, y, z) ? data[(index(z, nz) * ny + index(y, ny)) * nx + index(x, nx)] : outside;
}

export function linearSampler(data: Float32Array, shape: Shape3, outside: number): Sampler {
  const [nx, ny, nz] = shape;
  return (px, py, pz) => {
    if (!isInside(shape, px, py, pz)) return outside;
    const x = Math.min(nx - 1, Math.max(0, px));
    const y = Math.min(ny - 1, Math.max(0, py));
    const z = Math.min(nz - 1, Math.max(0, pz));
    const i = Math.floor(x);
    const j = Math.floor(y);
    const k = Math.floor(z);
    const at = (k * ny + j) * nx + i;
    const dx = i + 1 < nx ? 1 : 0;
    const dy = j + 1 < ny ? nx : 0;
    const dz = k + 1 < nz ? nx * ny : 0;
    const row = (p: number) => data[p] + (x - i) * (data[p + dx] - data[p]);
    const plane = (p: number) => row(p) + (y - j) * (row(p + dy) - row(p));
    return plane(at) + (z - k) * (plane(at + dz) - plane(at));
  };
}

/** Cubic B-spline through the voxel values, mirrored at the border (Unser 1999; Thévenaz, Blu, Unser 2000). */
export function cubicSampler(data: Float32Array, shape: Shape3, outside: number): Sampler {
  const coefficients = splineCoefficients(data, shape);
  const [nx, ny, nz] = shape;
  const wx = new Float64Array(4);
  const wy = new Float64Array(4);
  const wz = new Float64Array(4);
  return (px, py, pz) => {
    if (!isInside(shape, px, py, pz)) return outside;
    const i = cubicWeights(px, wx);
    const j = cubicWeights(py, wy);
    const k = cubicWeights(pz, wz);
    let sum = 0;
    for (let c = 0; c < 4; c++) {
      const plane = mirror(k + c, nz) * ny;
      let inPlane = 0;
      for (let b = 0; b < 4; b++) {
        const row = (plane + mirror(j + b, ny)) * nx;
        let inRow = 0;
        for (let a = 0; a < 4; a++) inRow += wx[a] * coefficients[row + mirror(i + a, nx)];
        inPlane += wy[b] * inRow;
      }
      sum += wz[c] * inPlane;
    }
    return sum;
  };
}

/** Fills the four weights around x and returns the index of the first. */
function cubicWeights(x: number, w: Float64Array): number {
  const i = Math.floor(x);
  const t = x - i;
  const u = 1 - t;
  w[0] = (u * u * u) / 6;
  w[1] = (4 - 6 * t * t + 3 * t * t * t) / 6;
  w[2] = (4 - 6 * u * u + 3 * u * u * u) / 6;
  w[3] = (t * t * t) / 6;
  return i - 1;
}

function mirror(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const k = Math.abs(i) % period;
  return k < n ? k : period - k;
}

/** The filter that makes the cubic B-spline pass through the values: one causal and one anticausal pass an axis. */
function splineCoefficients(data: Float32Array, shape: Shape3): Float32Array {
  const out = Float32Array.from(data);
  const pole = Math.sqrt(3) - 2;
  const strides = [1, shape[0], shape[0] * shape[1]];
  for (let axis = 0; axis < 3; axis++) {
    const n = shape[axis];
    if (n === 1) continue;
    const step = strides[axis];
    const line = new Float64Array(n);
    for (let start = 0; start < out.length; start++) {
      if (Math.floor(start / step) % n !== 0) continue;
      for (let i = 0; i < n; i++) line[i] = out[start + i * step];
      filterLine(line, pole);
      for (let i = 0; i < n; i++) out[start + i * step] = line[i];
    }
  }
  return out;
}

function filterLine(c: Float64Array, pole: number): void {
  const n = c.length;
  const gain = (1 - pole) * (1 - 1 / pole);
  for (let i = 0; i < n; i++) c[i] *= gain;
  // Exact sum of the mirrored, endless signal.
  let first = c[0];
  let power = pole;
  const period = 2 * (n - 1);
  for (let i = 1; i < period && Math.abs(power) > 1e-12; i++, power *= pole) first += power * c[i < n ? i : period - i];
  c[0] = first / (1 - pole ** period);
  for (let i = 1; i < n; i++) c[i] += pole * c[i - 1];
  c[n - 1] = (pole / (pole * pole - 1)) * (c[n - 1] + pole * c[n - 2]);
  for (let i = n - 2; i >= 0; i--) c[i] = pole * (c[i + 1] - c[i]);
}
