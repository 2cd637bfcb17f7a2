/** The static image of a PET series: frames brought into register, then averaged. */
import { EngramError } from '@engram/errors';
import type { Device } from '@engram/kernels';
import { type Affine, applyAffine, gridOf, IDENTITY, type Vec3, type Volume, voxelSize } from '@engram/volume';
import { otsuThreshold } from '../bias/foreground.ts';
import { registerRigid } from '../linear/register-linear.ts';
import { resample } from '../resample.ts';
import { chooseFrames, type FrameTiming } from './choose-frames.ts';

export interface AverageOptions {
  /** Seconds after injection: `tracerWindow(name)?.window`. Without it every frame is taken. */
  readonly tracerWindowS?: readonly [number, number];
  /** Of the registrations' sample points. Default 1. */
  readonly seed?: number;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface AverageResult {
  /** On the series' grid, in the place of the frame with the most counts; its unit is kept. */
  readonly mean: Volume;
  /** Frames averaged. */
  readonly frames: number;
  /** Their indices in the series, from 0. */
  readonly usedFrames: readonly number[];
  /** First start and last end of those frames, seconds after injection; null without frame times. */
  readonly windowS: readonly [number, number] | null;
  /** For each frame averaged: mean displacement over the head against the mean image, mm. */
  readonly motionMm: readonly number[];
  /** For each frame averaged: RAS mm of the mean → RAS mm of the frame. */
  readonly motion: readonly Affine[];
  readonly warnings: readonly string[];
}

/** A frame with less than this share of the best frame's counts shows too little to be aligned on its own. */
const LEAST_COUNTS = 0.1;
/** Beyond this, a frame is not moved but wrongly aligned: heads in a holder do not go further. */
const MOST_MOTION_MM = 40;
const ROUNDS = 2;

/**
 * Realigns each frame rigidly to the frame with the most counts, then to the mean of all, and averages them weighted by
 * duration (activity is taken as decay-corrected, as scanners write it). A voxel is averaged over the frames that saw it.
 * A frame with too few counts is placed like its nearest neighbour in time.
 *
 * @throws PET_FRAME_INVALID when a frame used holds values that are not finite, IMAGE_EMPTY when none has counts,
 * PET_TIMING_INVALID when the times do not fit the frames.
 */
export async function averageFrames(
  pet: Volume,
  timing: FrameTiming | null,
  options: AverageOptions = {},
  device?: Device,
): Promise<AverageResult> {
  const choice = chooseFrames(pet.frames, timing, options.tracerWindowS);
  const warnings = [...choice.warnings];
  const frames = choice.frames.map((frame) => frameOf(pet, frame));
  const counts = frames.map((frame, n) => sum(frame.data) * choice.weights[n]);
  const best = counts.indexOf(Math.max(...counts));
  if (!(counts[best] > 0)) throw new EngramError('IMAGE_EMPTY', 'No frame of the PET holds any counts');
  const strong = counts.map((c) => c >= LEAST_COUNTS * counts[best]);
  const motion: Affine[] = frames.map(() => IDENTITY);

  const head = frames.length > 1 ? headPoints(frames[best]) : [];
  // A PET blurs 5 mm and more: 4 mm voxels lose nothing that motion could be read from, and they quieten the noise.
  const finest = Math.max(4, ...voxelSize(pet.affine).map((size) => Math.min(size, 8)));
  let reference = frames[best];
  for (let round = 0; round < ROUNDS && frames.length > 1; round++) {
    for (let n = 0; n < frames.length; n++) {
      if (!strong[n] || (round === 0 && n === best)) continue;
      const found = await registerRigid(reference, frames[n], {
        initial: motion[n],
        finest,
        samples: 40_000,
        seed: options.seed ?? 1,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      if (displacement(found.matrix, head) <= MOST_MOTION_MM) motion[n] = found.matrix;
      else strong[n] = false;
      options.onProgress?.((round * frames.length + n + 1) / (ROUNDS * frames.length + 1));
    }
    placeWeakFrames(motion, strong);
    reference = await weightedMean(frames, motion, choice.weights, device);
  }
  strong.forEach((ok, n) => {
    if (!ok)
      warnings.push(`Frame ${choice.frames[n] + 1} shows too little to be aligned: placed like the nearest frame`);
  });
  options.onProgress?.(1);
  return {
    mean: reference,
    frames: frames.length,
    usedFrames: choice.frames,
    windowS: choice.windowS,
    motionMm: motion.map((m) => displacement(m, head)),
    motion,
    warnings,
  };
}

function frameOf(pet: Volume, frame: number): Volume {
  const voxels = pet.shape[0] * pet.shape[1] * pet.shape[2];
  const data = pet.data.subarray(frame * voxels, (frame + 1) * voxels);
  for (let i = 0; i < voxels; i++) {
    if (!Number.isFinite(data[i])) {
      throw new EngramError('PET_FRAME_INVALID', `Frame ${frame + 1} of the PET holds values that are not numbers`);
    }
  }
  return { ...gridOf(pet), frames: 1, data };
}

function sum(data: Float32Array): number {
  let total = 0;
  for (let i = 0; i < data.length; i++) total += data[i];
  return total;
}

/** Points spread over the head, RAS mm. */
function headPoints({ shape: [nx, ny, nz], affine, data }: Volume): Vec3[] {
  const threshold = otsuThreshold(data);
  const points: Vec3[] = [];
  for (let k = 0; k < nz; k += 4)
    for (let j = 0; j < ny; j += 4)
      for (let i = 0; i < nx; i += 4) {
        if (data[(k * ny + j) * nx + i] > threshold) points.push(applyAffine(affine, [i, j, k]));
      }
  return points;
}

function displacement(matrix: Affine, points: readonly Vec3[]): number {
  let total = 0;
  for (const p of points) {
    const q = applyAffine(matrix, p);
    total += Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]);
  }
  return points.length === 0 ? 0 : total / points.length;
}

function placeWeakFrames(motion: Affine[], strong: readonly boolean[]): void {
  for (let n = 0; n < motion.length; n++) {
    if (strong[n]) continue;
    for (let away = 1; away < motion.length; away++) {
      const near = [n - away, n + away].find((m) => strong[m]);
      if (near === undefined) continue;
      motion[n] = motion[near];
      break;
    }
  }
}

async function weightedMean(
  frames: readonly Volume[],
  motion: readonly Affine[],
  weights: readonly number[],
  device: Device | undefined,
): Promise<Volume> {
  const grid = gridOf(frames[0]);
  const total = new Float64Array(frames[0].data.length);
  const weight = new Float64Array(total.length);
  for (let n = 0; n < frames.length; n++) {
    const still = motion[n] === IDENTITY;
    const options = { matrix: motion[n], outside: Number.NaN };
    const { data } = still ? frames[n] : await resample(frames[n], grid, options, device);
    for (let i = 0; i < data.length; i++) {
      if (Number.isNaN(data[i])) continue;
      total[i] += weights[n] * data[i];
      weight[i] += weights[n];
    }
  }
  const data = Float32Array.from(total, (v, i) => (weight[i] > 0 ? v / weight[i] : 0));
  return { ...grid, frames: 1, data };
}
