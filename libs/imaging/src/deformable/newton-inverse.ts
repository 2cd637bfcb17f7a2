import type { Shape } from '@engram/kernels';
import type { VoxelField } from './compose-affine-field.ts';

const ITERATIONS = 20;
const HALVINGS = 4;
/** Below this the map is flat for Newton's purposes, and a plain step is taken. */
const LEAST_DETERMINANT = 1e-3;

/**
 * Makes x + u(x) = p by Newton's method, where fixed-point steps crawl: they gain a factor of 1 - w det a round, and a map
 * may press tissue to a twentieth. `u` is trilinear between voxels and clamped beyond them, so that its derivative is exact
 * within a cell; a step that makes the residual longer is halved.
 *
 * @param p targets and @param x answers so far, changed in place: all x, then all y, then all z, voxels.
 * @param chosen the points to solve. @param tolerance on the residual's length, voxels.
 */
export function newtonInverse(
  u: VoxelField,
  shape: Shape,
  p: Float32Array,
  x: Float32Array,
  chosen: ArrayLike<number>,
  tolerance: number,
): void {
  const n = p.length / 3;
  const here = new Float64Array(12);
  const next = new Float64Array(12);
  const move = new Float64Array(3);
  for (let c = 0; c < chosen.length; c++) {
    const i = chosen[c];
    let [a, b, z] = [x[i], x[n + i], x[2 * n + i]];
    let length = residual(u, shape, a, b, z, p, i, here);
    for (let iteration = 0; iteration < ITERATIONS && length > tolerance; iteration++) {
      step(here, move);
      let scale = 1;
      let found = residual(u, shape, a - move[0], b - move[1], z - move[2], p, i, next);
      for (let halving = 0; halving < HALVINGS && !(found < length); halving++) {
        scale /= 2;
        found = residual(u, shape, a - scale * move[0], b - scale * move[1], z - scale * move[2], p, i, next);
      }
      if (!(found < length)) break;
      a -= scale * move[0];
      b -= scale * move[1];
      z -= scale * move[2];
      length = found;
      here.set(next);
    }
    x[i] = a;
    x[n + i] = b;
    x[2 * n + i] = z;
  }
}

/** Fills `out` with the residual x + u(x) - p and, after it, the Jacobian of x + u(x), row by row; returns the residual's length. */
function residual(
  u: VoxelField,
  shape: Shape,
  x: number,
  y: number,
  z: number,
  p: Float32Array,
  point: number,
  out: Float64Array,
): number {
  const nx = shape[0];
  const ny = shape[1];
  const nz = shape[2];
  const i = cell(x, nx);
  const j = cell(y, ny);
  const k = cell(z, nz);
  const fx = share(x - i, nx);
  const fy = share(y - j, ny);
  const fz = share(z - k, nz);
  const dx = nx > 1 ? 1 : 0;
  const dy = ny > 1 ? nx : 0;
  const dz = nz > 1 ? nx * ny : 0;
  const v = (k * ny + j) * nx + i;
  const n = p.length / 3;
  for (let w = 0; w < 3; w++) {
    const f = u[w];
    const c000 = f[v];
    const c010 = f[v + dy];
    const c001 = f[v + dz];
    const c011 = f[v + dy + dz];
    // Differences along x at the four edges, then everything from them.
    const d00 = f[v + dx] - c000;
    const d10 = f[v + dx + dy] - c010;
    const d01 = f[v + dx + dz] - c001;
    const d11 = f[v + dx + dy + dz] - c011;
    const c00 = c000 + fx * d00;
    const c10 = c010 + fx * d10;
    const c01 = c001 + fx * d01;
    const c11 = c011 + fx * d11;
    const c0 = c00 + fy * (c10 - c00);
    const c1 = c01 + fy * (c11 - c01);
    const d0 = d00 + fy * (d10 - d00);
    const d1 = d01 + fy * (d11 - d01);
    out[w] = (w === 0 ? x : w === 1 ? y : z) + c0 + fz * (c1 - c0) - p[w * n + point];
    out[3 + 3 * w] = d0 + fz * (d1 - d0);
    out[4 + 3 * w] = (1 - fz) * (c10 - c00) + fz * (c11 - c01);
    out[5 + 3 * w] = c1 - c0;
    out[3 + 4 * w] += 1;
  }
  return Math.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2]);
}

const cell = (x: number, n: number): number => Math.max(0, Math.min(n - 2, Math.floor(x)));
const share = (f: number, n: number): number => (n > 1 ? Math.max(0, Math.min(1, f)) : 0);

/** J^-1 r by cofactors. */
function step(r: Float64Array, out: Float64Array): void {
  const a = r[3];
  const b = r[4];
  const c = r[5];
  const d = r[6];
  const e = r[7];
  const f = r[8];
  const g = r[9];
  const h = r[10];
  const i = r[11];
  const first = e * i - f * h;
  const second = f * g - d * i;
  const third = d * h - e * g;
  const determinant = a * first + b * second + c * third;
  if (!(determinant > LEAST_DETERMINANT)) {
    for (let w = 0; w < 3; w++) out[w] = r[w] / 2;
    return;
  }
  out[0] = (first * r[0] + (c * h - b * i) * r[1] + (b * f - c * e) * r[2]) / determinant;
  out[1] = (second * r[0] + (a * i - c * g) * r[1] + (c * d - a * f) * r[2]) / determinant;
  out[2] = (third * r[0] + (b * g - a * h) * r[1] + (a * e - b * d) * r[2]) / determinant;
}
