import { EngramError } from '@engram/errors';
import type { Device, Field } from '@engram/kernels';
import {
  type Affine,
  type DisplacementField,
  type Grid,
  invertAffine,
  type MaskVolume,
  multiplyAffines,
  sameGrid,
  type Volume,
} from '@engram/volume';
import { dilate } from '../morphology/dilate.ts';
import { resample, resampleMask } from '../resample.ts';
import { composeAffineField } from './compose-affine-field.ts';
import { type Consistency, inverseConsistency } from './inverse-consistency.ts';
import { invertField } from './invert-field.ts';
import { jacobianDeterminant } from './jacobian-determinant.ts';
import { normaliseIntensity } from './normalise-intensity.ts';
import { type LevelImages, optimiseLevel } from './optimise-level.ts';
import { type LevelReport, optimisePyramid, type PyramidOptions, windowOf } from './optimise-pyramid.ts';
import { type Band, shrinkDetails } from './shrink-details.ts';
import { unfold } from './unfold.ts';
import { workingGrid } from './working-grid.ts';

export interface DeformableOptions extends PyramidOptions {
  /** RAS mm, fixed point → moving point. */
  readonly initial: Affine;
  /** On the grid of the fixed image: correlation is taken in and just around it, and the work is cropped to its box. */
  readonly fixedMask?: MaskVolume;
  /** Around the mask's box, mm. Default 5: as far as the windows of the mask's edge reach. */
  readonly marginMm?: number;
  /** Details of the field that count as noise, in voxels of the working grid. Default 0.25 up to 2 voxels, 0.15 up to 4. */
  readonly noiseBands?: readonly Band[];
  /** Last iterations, on the finest level, that mend what the above took from wide details. Default 3. */
  readonly settling?: number;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface ForwardReport {
  /** Of the total map on the fixed grid, dimensionless. */
  readonly jacobianMin: number;
  /** Voxels of the fixed grid whose determinant is not positive: 0 unless unfolding failed. */
  readonly foldedVoxels: number;
  /** Voxels that had to be unfolded. */
  readonly repairedVoxels: number;
  readonly iterations: number;
  readonly convergence: readonly LevelReport[];
}

export interface DeformableReport extends ForwardReport {
  readonly inverseConsistencyMm: Consistency;
}

export interface ForwardResult {
  /** Total, the affine included: RAS mm on the fixed grid; x + u(x) lies in the moving image. */
  readonly forward: DisplacementField;
  /** Mean local correlation before each step, all levels. */
  readonly metric: readonly number[];
  readonly report: ForwardReport;
}

export interface DeformableResult extends ForwardResult {
  /** Total: RAS mm on the moving grid; y + v(y) lies in the fixed image. */
  readonly inverse: DisplacementField;
  readonly report: DeformableReport;
}

const MASK_DILATIONS = 3;
/** Chosen on a head and a pair together (docs/algorithms/deformable.md). */
const NOISE_BANDS: readonly Band[] = [
  { width: 2, threshold: 0.25 },
  { width: 4, threshold: 0.15 },
];
/** Wide forces, hardly any smoothing of the field, short steps in proportion to the force: details stay as they are. */
const SETTLING = { sigmaForce: 4, sigmaField: 0.3, stepLimit: 0.2, forceFloor: 1, finalStep: 0.5 } as const;

/**
 * Diffeomorphic registration of two images of the same contrast: local correlation (Avants et al. 2008), compositive
 * steps with smoothed forces and fields (Yushkevich et al. 2016), Adam step sizes (Jena et al. 2024), coarse to fine.
 * Deterministic: the same voxels for any number of threads. Equations in docs/algorithms/deformable.md.
 *
 * @param options `inverse: false` leaves out the way back and the check of it, for those who need neither.
 * @throws IMAGE_EMPTY without signal, MASK_GRID_MISMATCH, DEVICE_OUT_OF_MEMORY; the signal's reason when aborted.
 */
export function registerDeformable(
  fixed: Volume,
  moving: Volume,
  options: DeformableOptions & { readonly inverse: false },
  device: Device,
): Promise<ForwardResult>;
export function registerDeformable(
  fixed: Volume,
  moving: Volume,
  options: DeformableOptions,
  device: Device,
): Promise<DeformableResult>;
export async function registerDeformable(
  fixed: Volume,
  moving: Volume,
  options: DeformableOptions & { readonly inverse?: false },
  device: Device,
): Promise<ForwardResult | DeformableResult> {
  const { initial, fixedMask, marginMm = 5, noiseBands = NOISE_BANDS, settling = 3, onProgress, signal } = options;
  if (fixedMask && !sameGrid(fixedMask, fixed)) {
    throw new EngramError('MASK_GRID_MISMATCH', 'The mask does not lie on the grid of the fixed image', {
      field: 'fixedMask',
    });
  }
  signal?.throwIfAborted();
  const grid = workingGrid(fixed, fixedMask, marginMm);
  return device.scope(async () => {
    const finest: LevelImages = {
      shape: grid.shape,
      fixed: device.upload(normaliseIntensity((await resample(fixed, grid, {}, device)).data, 'fixed')),
      moving: device.upload(
        normaliseIntensity((await resample(moving, grid, { matrix: initial }, device)).data, 'moving'),
      ),
      mask: fixedMask ? device.upload(await windowCentres(fixedMask, grid, device)) : null,
    };
    const { u, metric, convergence } = await optimisePyramid(device, finest, options, signal, (fraction) =>
      onProgress?.(0.9 * fraction),
    );
    await shrinkDetails(device, u, grid.shape, noiseBands);
    const settled = await optimiseLevel(device, finest, u, {
      ...SETTLING,
      ...windowOf(options),
      iterations: settling,
      signal,
      onIteration: () => {},
    });
    const { repaired } = await unfold(device, u, grid.shape);
    const forward = await totalField(device, u, grid, fixed, initial);
    const determinants = (await jacobianDeterminant(forward, device)).data;
    const report: ForwardReport = {
      ...foldsIn(determinants),
      repairedVoxels: repaired,
      iterations: metric.length + settled.length,
      convergence: [...convergence, ...levelReport(settled)],
    };
    const result: ForwardResult = { forward, metric: [...metric, ...settled], report };
    if (options.inverse === false) {
      onProgress?.(1);
      return result;
    }
    signal?.throwIfAborted();
    const inverse = await invertField(device, u, grid, initial, moving);
    signal?.throwIfAborted();
    const inverseConsistencyMm = await inverseConsistency(forward, inverse, fixedMask, device);
    onProgress?.(1);
    return { ...result, inverse, report: { ...report, inverseConsistencyMm } };
  });
}

function foldsIn(determinants: Float32Array): Pick<ForwardReport, 'jacobianMin' | 'foldedVoxels'> {
  let jacobianMin = Number.POSITIVE_INFINITY;
  let foldedVoxels = 0;
  for (const value of determinants) {
    if (value < jacobianMin) jacobianMin = value;
    if (!(value > 0)) foldedVoxels++;
  }
  return { jacobianMin, foldedVoxels };
}

const levelReport = (metric: readonly number[]): readonly LevelReport[] =>
  metric.map((first) => ({ factor: 1, iterations: metric.length, first, last: metric.at(-1) ?? first })).slice(0, 1);

/** The mask and what lies just around it: there the border of the brain is. */
async function windowCentres(mask: MaskVolume, grid: Grid, device: Device): Promise<Float32Array> {
  const wide = dilate(await resampleMask(mask, grid, {}, device), { iterations: MASK_DILATIONS });
  return new Float32Array(wide.data);
}

/** From the working grid to the fixed grid, clamped beyond its box, and the affine after it. */
function totalField(device: Device, u: Field, working: Grid, fixed: Grid, initial: Affine): Promise<DisplacementField> {
  return device.scope(async () => {
    const toWorking = multiplyAffines(invertAffine(working.affine), fixed.affine);
    const side = (k: 0 | 1 | 2) => 1 / Math.hypot(toWorking[k], toWorking[4 + k], toWorking[8 + k]);
    const output = device.alloc(fixed.shape[0] * fixed.shape[1] * fixed.shape[2]);
    const component = async (k: 0 | 1 | 2) => {
      device.kernels.affine(u[k], working.shape, toWorking.slice(0, 12), fixed.shape, output, null);
      // Both grids have the same axes: a displacement changes its unit only.
      device.kernels.axpby(side(k), output, 0, output);
      return device.download(output);
    };
    return composeAffineField(fixed, [await component(0), await component(1), await component(2)], initial);
  });
}
