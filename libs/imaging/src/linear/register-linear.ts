/**
 * Rigid and affine registration by mutual information, coarse to fine, from many starts. docs/algorithms/linear.md gives
 * the equations, the sources and the figures reached.
 */
import { EngramError } from '@engram/errors';
import { type Affine, IDENTITY, invertAffine, type MaskVolume, type Volume, voxelSize } from '@engram/volume';
import { minimise } from './minimise.ts';
import { mutualInformation } from './mutual-information.ts';
import { type Level, pyramid } from './pyramid.ts';
import { takeSamples } from './samples.ts';
import type { Similarity } from './similarity.ts';
import { centreOfSamples, rigidStarts } from './starts.ts';
import { type DegreesOfFreedom, type LinearModel, matrixOf, parameterGradient } from './transform.ts';
import { valueRange } from './value-range.ts';

export interface LinearOptions {
  /** 6 rigid, 7 rigid with one scale, 9 with three scales, 12 affine. */
  readonly dof: DegreesOfFreedom;
  /** Fixed RAS mm → moving RAS mm to refine. Given, no other start is tried unless `search` is true. */
  readonly initial?: Affine;
  /** Try a spread of poses up to 30 mm and 30° (and beyond) from the headers and centres. Default: true without `initial`. */
  readonly search?: boolean;
  /** Where the images are compared. The fixed one is sampled; a mask of the moving image alone swaps the roles inside. */
  readonly fixedMask?: MaskVolume;
  readonly movingMask?: MaskVolume;
  /** Voxels of the finest level, mm. Default: the coarser of the two images' finest voxel sides. */
  readonly finest?: number;
  /** Points compared at the finest level. Default 150 000. */
  readonly samples?: number;
  /** Of the choice of sample points. Default 1. */
  readonly seed?: number;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface LinearResult {
  /** Fixed RAS mm → moving RAS mm. */
  readonly matrix: Affine;
  /** Mutual information at the finest level, nats. */
  readonly metric: number;
  /** 2 I / (H(fixed) + H(moving)), 0 to 1: near 0 where the images tell nothing of each other. */
  readonly quality: number;
  readonly iterations: number;
  readonly converged: boolean;
  /** Share of the fixed samples that fall inside the moving image. */
  readonly overlap: number;
}

/** Poses kept after the first look at all starts, and after their own search. */
const KEPT_STARTS = 10;
const KEPT_POSES = 3;
const COARSE_SAMPLES = 8_000;
const LEAST_OVERLAP = 0.15;
const LEAST_SAMPLES = 100;

/**
 * Finds the matrix that takes points of `fixed` to the same anatomy in `moving`; any contrast, orientation and voxel size.
 * Deterministic for a seed. About a second for a pair of 1 mm heads.
 *
 * @throws IMAGE_NOT_3D for several frames; IMAGE_EMPTY where an image is constant or its mask holds next to nothing;
 * REGISTRATION_FAILED where no pose makes the images overlap or tell anything of each other.
 */
export async function registerLinear(fixed: Volume, moving: Volume, options: LinearOptions): Promise<LinearResult> {
  for (const [name, image] of [['fixed', fixed] as const, ['moving', moving] as const]) {
    if (image.frames !== 1) {
      throw new EngramError('IMAGE_NOT_3D', `Registration takes one frame, the ${name} image has ${image.frames}`);
    }
  }
  if (options.movingMask !== undefined && options.fixedMask === undefined) return swapped(fixed, moving, options);
  const { dof, initial, seed = 1, samples = 150_000, signal, onProgress } = options;
  const search = options.search ?? initial === undefined;
  const finest =
    options.finest ?? Math.max(Math.min(...voxelSize(fixed.affine)), Math.min(...voxelSize(moving.affine)));
  const spacings = [finest, ...[2, 4, 8].filter((s) => s > 1.3 * finest)];
  const fixedLevels = pyramid(fixed, spacings);
  const movingLevels = pyramid(moving, spacings);
  const last = spacings.length - 1;
  checkContrast('fixed', fixedLevels[last]);
  checkContrast('moving', movingLevels[last]);

  const pause = async (fraction: number) => {
    onProgress?.(fraction);
    // A turn of the event loop, so that an abort or a heartbeat gets through.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw signal.reason;
  };
  const compare = (level: number, wanted: number): Similarity => {
    const points = takeSamples(fixedLevels[level], options.fixedMask, wanted, seed + level);
    return mutualInformation(points, movingLevels[level], options.movingMask);
  };

  const coarse = takeSamples(fixedLevels[last], options.fixedMask, COARSE_SAMPLES, seed + last);
  if (coarse.count < LEAST_SAMPLES) {
    throw new EngramError(
      'IMAGE_EMPTY',
      `Only ${coarse.count} points to compare: the mask of the fixed image is too small`,
    );
  }
  const { centre, radius } = centreOfSamples(coarse);
  const model = (freedom: DegreesOfFreedom): LinearModel => ({
    dof: freedom,
    centre,
    radius,
    base: initial ?? IDENTITY,
  });
  let similarity = mutualInformation(coarse, movingLevels[last], options.movingMask);
  let iterations = 0;
  const refine = (freedom: DegreesOfFreedom, start: ArrayLike<number>, level: number, tolerance: number): Pose => {
    const found = minimise(objective(similarity, model(freedom)), start, {
      maxStep: 2 * spacings[level],
      tolerance,
      maxIterations: 60,
    });
    iterations += found.iterations;
    const seen = similarity(matrixOf(model(freedom), found.parameters), false);
    return { parameters: [...found.parameters], score: rank(seen), converged: found.converged };
  };

  let poses: Pose[] = [{ parameters: [0, 0, 0, 0, 0, 0], score: 0, converged: false }];
  if (search) {
    const first = model(6);
    const starts = rigidStarts(fixedLevels[last], movingLevels[last], centre, radius).map((parameters) => ({
      parameters,
      score: rank(similarity(matrixOf(first, parameters), false)),
      converged: false,
    }));
    poses = best(starts, KEPT_STARTS);
    await pause(0.2);
    const early = dof === 6 ? 6 : 7;
    poses = best(
      poses.map((pose) => refine(early, grow(pose.parameters, 6, early), last, 0.02 * spacings[last])),
      KEPT_POSES,
    );
    poses = poses.map(({ parameters, ...rest }) => ({ ...rest, parameters: grow(parameters, early, dof) }));
  } else {
    poses = [{ ...poses[0], parameters: grow(poses[0].parameters, 6, dof) }];
  }
  await pause(0.4);
  for (let level = last; level >= 0; level--) {
    if (level < last) similarity = compare(level, level === 0 ? samples : Math.min(samples, 30_000));
    const tolerance = (level === 0 ? 0.003 : 0.01) * spacings[level];
    poses = best(
      poses.map((pose) => refine(dof, pose.parameters, level, tolerance)),
      level === last ? 2 : 1,
    );
    await pause(0.4 + (0.6 * (last + 1 - level)) / (last + 1));
  }

  const [pose] = poses;
  const matrix = matrixOf(model(dof), pose.parameters);
  const seen = similarity(matrix, false);
  if (seen.overlap < LEAST_OVERLAP || !(seen.normalised > 0.01)) {
    const share = Math.round(100 * seen.overlap);
    throw new EngramError(
      'REGISTRATION_FAILED',
      `No pose makes the images fit: ${share} % overlap, likeness ${seen.normalised.toFixed(3)} of 1`,
    );
  }
  const { value: metric, normalised: quality, overlap } = seen;
  return { matrix, metric, quality, iterations, converged: pose.converged, overlap };
}

/** Six degrees of freedom: the same head, any contrast. */
export function registerRigid(fixed: Volume, moving: Volume, options: Omit<LinearOptions, 'dof'> = {}) {
  return registerLinear(fixed, moving, { ...options, dof: 6 });
}

/** Twelve degrees of freedom: one head to another or to a template. */
export function registerAffine(fixed: Volume, moving: Volume, options: Omit<LinearOptions, 'dof'> = {}) {
  return registerLinear(fixed, moving, { ...options, dof: 12 });
}

interface Pose {
  readonly parameters: readonly number[];
  readonly score: number;
  readonly converged: boolean;
}

/** Likeness on a scale that a small overlap cannot inflate. */
const rank = (seen: { readonly normalised: number; readonly overlap: number }) =>
  seen.normalised * Math.min(1, seen.overlap / 0.4);

const best = (poses: readonly Pose[], count: number) => poses.toSorted((a, b) => b.score - a.score).slice(0, count);

/** Parameters of a model with fewer degrees of freedom as those of one with more. */
function grow(p: readonly number[], from: DegreesOfFreedom, to: DegreesOfFreedom): readonly number[] {
  if (from === to) return p;
  const common = from === 7 ? p[6] : 0;
  return Array.from({ length: to }, (_, k) => (k < 6 ? p[k] : k < 9 ? common : 0));
}

function objective(similarity: Similarity, model: LinearModel) {
  return (p: Float64Array) => {
    const { value, overlap, entries } = similarity(matrixOf(model, p), true);
    // Out of each other's sight nothing is defined: a wall that the line search turns back from.
    if (overlap < LEAST_OVERLAP / 2) return { value: 0, gradient: new Float64Array(model.dof) };
    return { value: -value, gradient: parameterGradient(model, p, entries).map((g) => -g) };
  };
}

/** With a mask on the moving side only, samples are taken there: dropping those outside would reward shrinking the mask away. */
async function swapped(fixed: Volume, moving: Volume, options: LinearOptions): Promise<LinearResult> {
  const { movingMask, initial, ...rest } = options;
  const result = await registerLinear(moving, fixed, {
    ...rest,
    ...(movingMask === undefined ? {} : { fixedMask: movingMask }),
    ...(initial === undefined ? {} : { initial: invertAffine(initial) }),
  });
  return { ...result, matrix: invertAffine(result.matrix) };
}

function checkContrast(name: string, level: Level): void {
  const { low, high } = valueRange(level.data);
  const spread = Math.max(Math.abs(low), Math.abs(high));
  if (!(high - low > 1e-5 * spread)) throw new EngramError('IMAGE_EMPTY', `The ${name} image has no contrast`);
}
