import type { Buffer, Device, Field, Shape } from '@engram/kernels';
import { type Affine, type DisplacementField, type Grid, gridOf, invertAffine, multiplyAffines } from '@engram/volume';

/** On the working grid, from nothing; then on the moving grid, from what that gave. */
const WORKING_ITERATIONS = 12;
const FINAL_ITERATIONS = 3;
/** Full steps diverge where the map stretches more than twofold; this damps up to threefold. */
const DAMPING = 0.65;
const SLAB_VOXELS = 2 ** 21;

/**
 * The inverse of x -> matrix (x + u(x)) on the grid of the moving image, RAS mm: y + v(y) is the fixed point that comes
 * from y. `u` is in voxels of `working` and clamped beyond it.
 *
 * Fixed-point iteration (Chen et al. 2008): with p = matrix^-1 y find x + u(x) = p by x <- x + w (p - x - u(x)). First for
 * every voxel of the working grid, then from those answers for every voxel of the moving grid, against `u` itself and
 * with the matrix inverted exactly, so that no interpolated inverse enters the result.
 */
export function invertField(
  device: Device,
  u: Field,
  working: Grid,
  matrix: Affine,
  moving: Grid,
): Promise<DisplacementField> {
  return device.scope(async () => {
    const toWorking = multiplyAffines(invertAffine(multiplyAffines(matrix, working.affine)), moving.affine);
    const v = await invertOnGrid(device, u, working.shape);
    const [nx, ny, nz] = moving.shape;
    const out = {
      ...gridOf(moving),
      x: new Float32Array(nx * ny * nz),
      y: new Float32Array(nx * ny * nz),
      z: new Float32Array(nx * ny * nz),
    };
    const depth = Math.max(1, Math.floor(SLAB_VOXELS / (nx * ny)));
    for (let z0 = 0; z0 < nz; z0 += depth) {
      const shape: Shape = [nx, ny, Math.min(depth, nz - z0)];
      const targets = positions(toWorking, shape, z0);
      const found = await device.scope(() => solve(device, u, v, working.shape, targets));
      writeDisplacement(out, found, working.affine, moving.affine, shape, z0);
    }
    return out;
  });
}

/** v with x = p + v(p) and x + u(x) = p, at the voxels of the grid: v <- v - w (v + u o (id + v)). */
async function invertOnGrid(device: Device, u: Field, shape: Shape): Promise<Field> {
  const n = shape[0] * shape[1] * shape[2];
  const field = (): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];
  const [v, residual] = [field(), field()];
  for (let iteration = 0; iteration < WORKING_ITERATIONS; iteration++) {
    device.kernels.compose(v, u, shape, residual);
    for (const k of [0, 1, 2] as const) device.kernels.axpby(-DAMPING, residual[k], 1, v[k]);
  }
  for (const buffer of residual) buffer.dispose();
  return v;
}

/** Voxel positions under a matrix: all x, then all y, then all z. */
function positions(m: Affine, [nx, ny, nz]: Shape, z0: number): Float32Array {
  const n = nx * ny * nz;
  const out = new Float32Array(3 * n);
  for (let k = 0, i = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let h = 0; h < nx; h++, i++) {
        out[i] = m[0] * h + m[1] * j + m[2] * (k + z0) + m[3];
        out[n + i] = m[4] * h + m[5] * j + m[6] * (k + z0) + m[7];
        out[2 * n + i] = m[8] * h + m[9] * j + m[10] * (k + z0) + m[11];
      }
  return out;
}

/** x with x + u(x) = p for free points p, from x = p + v(p). */
async function solve(device: Device, u: Field, v: Field, shape: Shape, p: Float32Array): Promise<Float32Array> {
  const n = p.length / 3;
  const points = device.alloc(p.length);
  const sampled = device.alloc(n);
  const values = new Float32Array(n);
  const x = p.slice();
  const at = async (image: Buffer) => {
    device.kernels.samplePoints(image, shape, points, sampled, null);
    return device.download(sampled, values);
  };
  const put = (data: Float32Array) => {
    const fresh = device.upload(data);
    device.copy(fresh, points);
    fresh.dispose();
  };
  put(x);
  for (const k of [0, 1, 2] as const) {
    const start = await at(v[k]);
    for (let i = 0; i < n; i++) x[k * n + i] += start[i];
  }
  for (let iteration = 0; iteration < FINAL_ITERATIONS; iteration++) {
    put(x);
    for (const k of [0, 1, 2] as const) {
      const moved = await at(u[k]);
      for (let i = 0, c = k * n; i < n; i++, c++) x[c] += DAMPING * (p[c] - x[c] - moved[i]);
    }
  }
  return x;
}

/** Working voxels to displacements in mm from the moving voxels they belong to. */
function writeDisplacement(
  out: DisplacementField,
  x: Float32Array,
  working: Affine,
  moving: Affine,
  [nx, ny, nz]: Shape,
  z0: number,
): void {
  const n = nx * ny * nz;
  for (let k = 0, i = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let h = 0; h < nx; h++, i++) {
        const [a, b, c] = [x[i], x[n + i], x[2 * n + i]];
        const along = (w: number) =>
          working[w] * a +
          working[w + 1] * b +
          working[w + 2] * c +
          working[w + 3] -
          (moving[w] * h + moving[w + 1] * j + moving[w + 2] * (k + z0) + moving[w + 3]);
        const at = z0 * nx * ny + i;
        out.x[at] = along(0);
        out.y[at] = along(4);
        out.z[at] = along(8);
      }
}
