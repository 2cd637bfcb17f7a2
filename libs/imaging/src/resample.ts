/** Images onto other grids, through a matrix, a displacement field or both. */
import type { Device, Field, Shape } from '@engram/kernels';
import {
  type Affine,
  type DisplacementField,
  type Grid,
  gridOf,
  IDENTITY,
  invertAffine,
  type LabelVolume,
  linearPart,
  type MaskVolume,
  maskWhere,
  multiplyAffines,
  sameGrid,
  type Volume,
} from '@engram/volume';
import { cubicSampler, linearSampler, nearestSampler, type Sampler } from './resample-plain.ts';
import { sigmaForStep, smoothForStep } from './smooth-for-step.ts';

export interface Transform {
  /** RAS mm of the grid (after the field) → RAS mm of the image. Default identity. */
  readonly matrix?: Affine;
  /** RAS mm, taken first: a point x of the grid comes from matrix · (x + u(x)). On any grid; clamped beyond its own. */
  readonly field?: DisplacementField;
}

export interface ResampleOptions extends Transform {
  /** Trilinear (default), nearest voxel, or cubic B-spline (may overshoot; computed on the CPU). */
  readonly interpolation?: 'linear' | 'nearest' | 'cubic';
  /** Value more than half a voxel beyond the image. Default 0. */
  readonly outside?: number;
  /** Smooth before going to coarser voxels (not for nearest). Default true. */
  readonly antialias?: boolean;
}

/**
 * The image on `grid`, every frame: out(x) = image(matrix · (x + u(x))), any orientation and voxel size.
 *
 * Where the output steps further than 1.25 input voxels along an input axis, that axis is smoothed first: Gaussian of sigma
 * 0.5 √(step² − 1) input voxels, so that detail finer than the new voxels does not alias (`smooth-for-step.ts`).
 *
 * @param device runs trilinear and nearest on its kernels; without it the plain version computes the same.
 * @throws IMAGE_GEOMETRY when an affine is singular.
 */
export async function resample(
  image: Volume,
  grid: Grid,
  options: ResampleOptions = {},
  device?: Device,
): Promise<Volume> {
  const { matrix = IDENTITY, interpolation = 'linear', outside = 0, antialias = true, field } = options;
  const total = multiplyAffines(invertAffine(image.affine), multiplyAffines(matrix, grid.affine));
  const u = field === undefined ? undefined : fieldInVoxels(field, grid);
  const voxels = image.shape[0] * image.shape[1] * image.shape[2];
  const size = grid.shape[0] * grid.shape[1] * grid.shape[2];
  const data = new Float32Array(size * image.frames);
  for (let frame = 0; frame < image.frames; frame++) {
    const raw = image.data.subarray(frame * voxels, (frame + 1) * voxels);
    const smoothed = antialias && interpolation !== 'nearest';
    const out = data.subarray(frame * size, (frame + 1) * size);
    if (device === undefined || interpolation === 'cubic') {
      const source = smoothed ? smoothForStep(raw, image.shape, total) : raw;
      const pick = { linear: linearSampler, nearest: nearestSampler, cubic: cubicSampler }[interpolation];
      fill(pick(source, image.shape, outside), total, u, grid.shape, out);
    } else {
      const sigma = smoothed ? sigmaForStep(total) : NOT_SMOOTHED;
      await onDevice(device, { ...image, data: raw }, sigma, total, u, grid.shape, interpolation, outside, out);
    }
  }
  return { shape: grid.shape, affine: grid.affine, frames: image.frames, data };
}

/** Labels by the nearest voxel; 0 outside. */
export async function resampleLabels(
  labels: LabelVolume,
  grid: Grid,
  transform: Transform = {},
  device?: Device,
): Promise<LabelVolume> {
  const image: Volume = { ...gridOf(labels), frames: 1, data: new Float32Array(labels.data) };
  const out = await resample(image, grid, { ...transform, interpolation: 'nearest' }, device);
  return { ...gridOf(grid), data: new Uint16Array(out.data) };
}

/** A mask: inside where at least half of the trilinear weight is. */
export async function resampleMask(
  mask: MaskVolume,
  grid: Grid,
  transform: Transform = {},
  device?: Device,
): Promise<MaskVolume> {
  const image: Volume = { ...gridOf(mask), frames: 1, data: new Float32Array(maskWhere(mask.data, (v) => v > 0)) };
  const out = await resample(image, grid, { ...transform, interpolation: 'linear' }, device);
  return { ...gridOf(grid), data: maskWhere(out.data, (v) => v >= 0.5) };
}

type Displacement = readonly [Float32Array, Float32Array, Float32Array];

/** The field at the voxels of `grid`, in voxels of that grid. */
function fieldInVoxels(field: DisplacementField, grid: Grid): Displacement {
  const [nx, ny, nz] = grid.shape;
  const toVoxel = invertAffine(grid.affine);
  const out: Displacement = [
    new Float32Array(nx * ny * nz),
    new Float32Array(nx * ny * nz),
    new Float32Array(nx * ny * nz),
  ];
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = linearPart(toVoxel);
  const put = (at: number, x: number, y: number, z: number) => {
    out[0][at] = xx * x + xy * y + xz * z;
    out[1][at] = yx * x + yy * y + yz * z;
    out[2][at] = zx * x + zy * y + zz * z;
  };
  if (sameGrid(field, grid)) {
    for (let at = 0; at < field.x.length; at++) put(at, field.x[at], field.y[at], field.z[at]);
    return out;
  }
  const m = multiplyAffines(invertAffine(field.affine), grid.affine);
  const clamp = (v: number, n: number) => Math.min(n - 1, Math.max(0, v));
  const [sx, sy, sz] = [field.x, field.y, field.z].map((data) => linearSampler(data, field.shape, 0));
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const x = clamp(m[0] * i + m[1] * j + m[2] * k + m[3], field.shape[0]);
        const y = clamp(m[4] * i + m[5] * j + m[6] * k + m[7], field.shape[1]);
        const z = clamp(m[8] * i + m[9] * j + m[10] * k + m[11], field.shape[2]);
        put(at, sx(x, y, z), sy(x, y, z), sz(x, y, z));
      }
  return out;
}

function fill(pick: Sampler, m: Affine, u: Displacement | undefined, [nx, ny, nz]: Shape, out: Float32Array): void {
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const x = u === undefined ? i : i + u[0][at];
        const y = u === undefined ? j : j + u[1][at];
        const z = u === undefined ? k : k + u[2][at];
        out[at] = pick(
          m[0] * x + m[1] * y + m[2] * z + m[3],
          m[4] * x + m[5] * y + m[6] * z + m[7],
          m[8] * x + m[9] * y + m[10] * z + m[11],
        );
      }
}

const NOT_SMOOTHED = [0, 0, 0] as const;

function onDevice(
  device: Device,
  image: Volume,
  sigma: readonly [number, number, number],
  matrix: Affine,
  u: Displacement | undefined,
  shape: Shape,
  interpolation: 'linear' | 'nearest',
  outside: number,
  out: Float32Array,
): Promise<Float32Array> {
  return device.scope(async () => {
    const { kernels } = device;
    const source = device.upload(image.data);
    if (sigma.some((s) => s > 0)) kernels.gaussian(source, image.shape, sigma, source);
    const output = device.alloc(shape[0] * shape[1] * shape[2]);
    const m = matrix.slice(0, 12);
    const field: Field | null =
      u === undefined ? null : [device.upload(u[0]), device.upload(u[1]), device.upload(u[2])];
    if (interpolation === 'nearest') {
      kernels.affineWarpNearest(source, image.shape, m, field, shape, output, outside);
    } else if (field === null) {
      kernels.affine(source, image.shape, m, shape, output, outside);
    } else {
      kernels.affineWarp(source, image.shape, m, field, shape, output, outside);
    }
    return device.download(output, out);
  });
}
