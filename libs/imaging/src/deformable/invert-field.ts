import type { Device, Field, Shape } from '@engram/kernels';
import { type Affine, type DisplacementField, type Grid, gridOf, invertAffine, multiplyAffines } from '@engram/volume';
import type { VoxelField } from './compose-affine-field.ts';
import { newtonInverse } from './newton-inverse.ts';

/** At half the resolution, from nothing. */
const COARSE_ITERATIONS = 12;
/** Full steps diverge where the map stretches more than twofold; this damps up to threefold. */
const DAMPING = 0.65;
/** Of the answer, voxels of the working grid: well below what sampling the inverse at the moving voxels costs. */
const TOLERANCE = 0.02;
/** At a time, so that the points of a large image take little memory. */
const SLAB_VOXELS = 2 ** 17;

/**
 * The inverse of x -> matrix (x + u(x)) on the grid of the moving image, RAS mm: y + v(y) is the fixed point that comes
 * from y. `u` is in voxels of `working` and clamped beyond it.
 *
 * With p = matrix^-1 y find x + u(x) = p: for every second voxel of the working grid by the fixed-point iteration
 * x <- x + w (p - x - u(x)) (Chen et al. 2008), then from those answers for every voxel of the moving grid by Newton's method,
 * against `u` itself and with the matrix inverted exactly, so that no interpolated inverse enters the result. Where p lies
 * beyond the working grid there is no brain, and the first answer stays.
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
    const [nx, ny, nz] = moving.shape;
    const coarse = await invertCoarsely(device, u, working.shape);
    const v = await onMovingGrid(device, coarse, toWorking, moving.shape);
    const depth = Math.max(1, Math.floor(SLAB_VOXELS / (nx * ny)));
    const field: VoxelField = [await device.download(u[0]), await device.download(u[1]), await device.download(u[2])];
    const out = { ...gridOf(moving), x: v[0], y: v[1], z: v[2] };
    for (let z0 = 0; z0 < nz; z0 += depth) {
      const shape: Shape = [nx, ny, Math.min(depth, nz - z0)];
      const p = positions(toWorking, shape, z0);
      const x = displaced(p, v, z0 * nx * ny);
      newtonInverse(field, working.shape, p, x, indicesInside(p, working.shape), TOLERANCE);
      writeDisplacement(out, x, working.affine, moving.affine, shape, z0);
    }
    return out;
  });
}

interface Coarse {
  readonly v: Field;
  readonly shape: Shape;
}

/** v with x = p + v(p) and x + u(x) = p, at every second voxel and in its units: v <- v - w (v + u o (id + v)). */
async function invertCoarsely(device: Device, u: Field, fine: Shape): Promise<Coarse> {
  const shape: Shape = [Math.ceil(fine[0] / 2), Math.ceil(fine[1] / 2), Math.ceil(fine[2] / 2)];
  const n = shape[0] * shape[1] * shape[2];
  const field = (): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];
  const [half, v, residual] = [field(), field(), field()];
  for (const k of [0, 1, 2] as const) {
    device.kernels.downsample(u[k], fine, 2, half[k]);
    device.kernels.axpby(0.5, half[k], 0, half[k]);
  }
  for (let iteration = 0; iteration < COARSE_ITERATIONS; iteration++) {
    device.kernels.compose(v, half, shape, residual);
    for (const k of [0, 1, 2] as const) device.kernels.axpby(-DAMPING, residual[k], 1, v[k]);
  }
  for (const buffer of [...half, ...residual]) buffer.dispose();
  return { v, shape };
}

/** In voxels of the working grid, clamped beyond it. */
async function onMovingGrid(device: Device, { v, shape }: Coarse, toWorking: Affine, moving: Shape) {
  const toCoarse = toWorking.slice(0, 12).map((value) => value / 2);
  const output = device.alloc(moving[0] * moving[1] * moving[2]);
  const component = async (k: 0 | 1 | 2) => {
    device.kernels.affine(v[k], shape, toCoarse, moving, output, null);
    device.kernels.axpby(2, output, 0, output);
    return device.download(output);
  };
  const out = [await component(0), await component(1), await component(2)] as const;
  output.dispose();
  return out;
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

/** p + v(p), with v of the slab that begins at voxel `from`. */
function displaced(p: Float32Array, v: readonly Float32Array[], from: number): Float32Array {
  const n = p.length / 3;
  const out = new Float32Array(p.length);
  for (let k = 0, c = 0; k < 3; k++) for (let i = 0; i < n; i++, c++) out[c] = p[c] + v[k][from + i];
  return out;
}

function indicesInside(p: Float32Array, [nx, ny, nz]: Shape): Uint32Array {
  const n = p.length / 3;
  const found = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const [x, y, z] = [p[i], p[n + i], p[2 * n + i]];
    if (x >= 0 && y >= 0 && z >= 0 && x <= nx - 1 && y <= ny - 1 && z <= nz - 1) found[count++] = i;
  }
  return found.subarray(0, count);
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
  for (const [row, component] of [out.x, out.y, out.z].entries()) {
    const [a, b, c, offset] = working.slice(4 * row, 4 * row + 4);
    const [alongX, alongY, alongZ, origin] = moving.slice(4 * row, 4 * row + 4);
    for (let k = 0, i = 0, at = z0 * nx * ny; k < nz; k++)
      for (let j = 0; j < ny; j++) {
        const start = alongY * j + alongZ * (k + z0) + origin;
        for (let h = 0; h < nx; h++, i++, at++)
          component[at] = a * x[i] + b * x[n + i] + c * x[2 * n + i] + offset - (alongX * h + start);
      }
  }
}
