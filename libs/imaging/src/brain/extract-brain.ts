/**
 * Brain extraction: a template brain is laid over the head, and the head's own tissue decides where its surface is.
 * docs/algorithms/brain.md gives the steps, the sources and the figures reached.
 */
import { EngramError, isEngramError } from '@engram/errors';
import {
  type Affine,
  determinant,
  type Grid,
  IDENTITY,
  invertAffine,
  type MaskVolume,
  maskWhere,
  multiplyAffines,
  type Volume,
  voxelSize,
  worldBounds,
} from '@engram/volume';
import { type Box, boxOf, cropInto, gridOfBox, uncropInto } from '../crop.ts';
import { pyramid } from '../linear/pyramid.ts';
import { type LinearResult, registerLinear } from '../linear/register-linear.ts';
import { fillHoles } from '../morphology/fill-holes.ts';
import { largestComponent } from '../morphology/largest-component.ts';
import { type Carved, carveBrain } from './carve-brain.ts';
import { assertHead, confidenceOf, type HeadEvidence } from './judge-head.ts';
import type { BrainTemplate } from './prepare-template.ts';
import { sampleOnto } from './sample.ts';
import { type BrainTissue, brainTissue } from './tissue-range.ts';

export interface ExtractOptions {
  /** T1 RAS mm → template RAS mm, when it is known already; refined all the same. */
  readonly initial?: Affine;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface ExtractedBrain {
  /** Brain with ventricles, without the fluid around it, on the grid of the T1. */
  readonly mask: MaskVolume;
  /** T1 RAS mm → template RAS mm, fitted over the brain. */
  readonly toTemplate: Affine;
  /** 0 to 1: how well the result agrees with what a head looks like; below 0.5 a person should look. */
  readonly confidence: number;
  /** Plain sentences for the log and the reviewer. */
  readonly warnings: readonly string[];
}

/**
 * Finds the brain in a bias-corrected T1 of a head: any orientation, voxel size, pose and contrast of a T1.
 *
 * @throws NOT_A_HEAD when the image shows no head; IMAGE_NOT_3D for several frames.
 */
export async function extractBrain(
  t1: Volume,
  template: BrainTemplate,
  options: ExtractOptions = {},
): Promise<ExtractedBrain> {
  const { signal, onProgress } = options;
  if (t1.frames !== 1) throw new EngramError('IMAGE_NOT_3D', `Brain extraction takes one frame, not ${t1.frames}`);
  const fitted = await align(t1, template, options);
  onProgress?.(0.5);
  const toT1 = fitted.matrix;
  const grid = workingGrid(template, workingSpacing(Math.min(...voxelSize(t1.affine))));
  const head = sampleOnto(t1, toT1, grid, Number.NaN);
  const distance = sampleOnto(template.distance, IDENTITY, grid, 1000);
  const ventricles = maskWhere(sampleOnto(template.ventricles, IDENTITY, grid), (v) => v > 0.5);
  const tissue = brainTissue(head, distance, ventricles);
  if (tissue === null)
    throw new EngramError('NOT_A_HEAD', 'Where the brain should be there are no three tissues of a T1');
  if (signal?.aborted) throw signal.reason;
  const carved = carveBrain(head, distance, ventricles, grid, tissue);
  onProgress?.(0.9);
  const evidence: HeadEvidence = gather(template, fitted, carved.brain.data, distance, head, grid);
  assertHead(evidence);
  const inverse = invertAffine(toT1);
  const mask = ownResolution(t1, carved, inverse, tissue);
  onProgress?.(1);
  return { mask, toTemplate: inverse, ...confidenceOf(evidence) };
}

/** Template RAS mm → T1 RAS mm: the whole head first, which is robust, then what lies around the brain, which is exact. */
async function align(t1: Volume, template: BrainTemplate, options: ExtractOptions): Promise<LinearResult> {
  const { initial, signal } = options;
  const common = signal === undefined ? {} : { signal };
  // Both fits run at 2 mm: thin the images once.
  const fixed = coarse(template.t1);
  const moving = coarse(t1);
  try {
    const whole = await registerLinear(fixed, moving, {
      dof: 12,
      samples: 40_000,
      ...common,
      ...(initial === undefined ? {} : { initial: invertAffine(initial) }),
    });
    options.onProgress?.(0.3);
    return await registerLinear(fixed, moving, {
      dof: 12,
      samples: 60_000,
      initial: whole.matrix,
      fixedMask: template.surroundings,
      ...common,
    });
  } catch (error) {
    if (isEngramError(error, 'REGISTRATION_FAILED') || isEngramError(error, 'IMAGE_EMPTY')) {
      throw new EngramError('NOT_A_HEAD', 'The image cannot be laid over the template of a head', { cause: error });
    }
    throw error;
  }
}

function coarse(image: Volume): Volume {
  const [level] = pyramid(image, [2]);
  return { shape: level.shape, affine: level.affine, frames: 1, data: level.data };
}

/** mm. Coarse images are worked on finer than they are, so that thin channels still count as thin. */
const workingSpacing = (voxel: number) => (voxel >= 3 ? 2.5 : Math.min(Math.max(voxel, 1.3), 2));

/** The template's axes at `spacing` mm around its brain, with room for a brain of another shape. */
function workingGrid(template: BrainTemplate, spacing: number): Grid {
  const { affine, shape, data } = template.brain;
  const size = voxelSize(affine);
  const margin = size.map((s) => Math.ceil(18 / s));
  const box = boxOf(data, shape, [margin[0], margin[1], margin[2]]);
  if (box === null) throw new EngramError('IMAGE_EMPTY', 'The template has no brain');
  const step = size.map((s) => spacing / s);
  const count = (a: 0 | 1 | 2) => Math.ceil((box.shape[a] - 1) / step[a]) + 1;
  const column = (row: number) => [0, 1, 2].map((a) => affine[4 * row + a] * step[a]);
  const origin = (row: number) =>
    affine[4 * row] * box.low[0] +
    affine[4 * row + 1] * box.low[1] +
    affine[4 * row + 2] * box.low[2] +
    affine[4 * row + 3];
  return {
    shape: [count(0), count(1), count(2)],
    affine: [...column(0), origin(0), ...column(1), origin(1), ...column(2), origin(2), 0, 0, 0, 1],
  };
}

function gather(
  template: BrainTemplate,
  fitted: LinearResult,
  brain: Uint8Array,
  distance: Float32Array,
  head: Float32Array,
  grid: Grid,
): HeadEvidence {
  const reference = sampleOnto(template.t1, IDENTITY, grid);
  let [n, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  let [found, expected, both, inView] = [0, 0, 0, 0];
  for (let i = 0; i < brain.length; i++) {
    const visible = !Number.isNaN(head[i]);
    if (distance[i] < 0) {
      expected++;
      if (visible) inView++;
    }
    if (brain[i]) found++;
    if (brain[i] && distance[i] < 0) both++;
    if (!visible || distance[i] > 8) continue;
    n++;
    x += reference[i];
    y += head[i];
    xx += reference[i] ** 2;
    yy += head[i] ** 2;
    xy += reference[i] * head[i];
  }
  const spread = Math.sqrt(Math.max((xx - (x * x) / n) * (yy - (y * y) / n), 0));
  const m = fitted.matrix;
  const lengths = [0, 1, 2].map((a) => Math.hypot(m[a], m[4 + a], m[8 + a]));
  const voxel = Math.abs(determinant(grid.affine) * determinant(m));
  return {
    quality: fitted.quality,
    stretch: [Math.min(...lengths), Math.max(...lengths)],
    correlation: spread > 0 ? (xy - (x * y) / n) / spread : 0,
    overlap: (2 * both) / (found + inView),
    volume: (found * voxel) / 1000,
    seen: inView / expected,
  };
}

/**
 * The carved brain on the grid of the T1. Its surface and its sulci follow the image's own voxels: what is darker than
 * tissue goes unless it is ventricle, and tissue on the rim stays.
 */
function ownResolution(t1: Volume, carved: Carved, toTemplate: Affine, tissue: BrainTissue): MaskVolume {
  const { shape, affine } = t1;
  const all = { shape, affine, data: new Uint8Array(t1.data.length) };
  const box = boxOnto(carved.brain, toTemplate, t1);
  if (box === null) return all;
  const count = box.shape[0] * box.shape[1] * box.shape[2];
  const values = cropInto(t1.data, shape, box, new Float32Array(count));
  const own = gridOfBox(t1, box);
  const brain = sampleOnto(carved.brain, toTemplate, own);
  const ventricles = sampleOnto(carved.ventricles, toTemplate, own);
  const data = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    if (brain[i] < 0.3) continue;
    const v = values[i];
    const rim = brain[i] <= 0.5 && v > tissue.darkest && v < tissue.brightest;
    if (rim || (brain[i] > 0.5 && (v > tissue.darkest || ventricles[i] > 0.5))) data[i] = 1;
  }
  const whole = fillHoles(largestComponent({ shape: box.shape, affine, data }, 6));
  return { ...all, data: uncropInto(whole.data, box, shape, all.data) };
}

/** The box of the T1 that holds the mask, a voxel more on each side, within the image; null where they do not meet. */
function boxOnto(mask: MaskVolume, toMask: Affine, t1: Volume): Box | null {
  const inMask = boxOf(mask.data, mask.shape, [1, 1, 1]);
  if (inMask === null) return null;
  const toT1 = invertAffine(multiplyAffines(toMask, t1.affine));
  const { min, max } = worldBounds({
    shape: inMask.shape,
    affine: multiplyAffines(toT1, gridOfBox(mask, inMask).affine),
  });
  const low = (a: 0 | 1 | 2) => Math.max(0, Math.floor(min[a]) - 1);
  const size = (a: 0 | 1 | 2) => Math.min(t1.shape[a], Math.ceil(max[a]) + 2) - low(a);
  const box: Box = { low: [low(0), low(1), low(2)], shape: [size(0), size(1), size(2)] };
  return box.shape.every((n) => n > 0) ? box : null;
}
