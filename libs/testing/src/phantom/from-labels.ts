/**
 * T1-like and PET-like images painted on a label map of FreeSurfer numbers, with exact truth. Built after the public
 * recipe of a label map, tissue means, smoothing by the point spread, bias and noise.
 */
import {
  type Affine,
  applyAffine,
  gridAtSpacing,
  IDENTITY,
  invertAffine,
  type LabelVolume,
  type MaskVolume,
  maskWhere,
  multiplyAffines,
  type Shape3,
  type Vec3,
  type Volume,
  voxelSize,
} from '@engram/volume';
import { biasField } from './bias-field.ts';
import {
  CEREBELLUM_FS_LABELS,
  CONTRASTS,
  type Contrast,
  isBrain,
  isIntracranial,
  type Tissue,
  type Tracer,
  tissueOf,
  UPTAKE,
} from './freesurfer.ts';
import { random } from './random.ts';
import { randomRigid } from './rigid.ts';
import { resample, smooth } from './sample.ts';

export interface T1Options {
  readonly contrast?: Contrast;
  /** Standard deviation of the noise, as a fraction of the white matter mean. */
  readonly noise?: number;
  /** Standard deviation of the logarithm of the bias field. */
  readonly biasSd?: number;
  readonly seed?: number;
  /** Edge of the output voxels; the label map's own by default. */
  readonly voxelMm?: number;
}

export interface T1Phantom {
  readonly t1: Volume;
  readonly truth: {
    /** On the T1's grid, by nearest neighbour. */
    readonly labels: LabelVolume;
    readonly brain: MaskVolume;
    readonly intracranial: MaskVolume;
    /** Fraction of each voxel that is grey (cortical and deep), white, fluid inside the skull. */
    readonly gm: Volume;
    readonly wm: Volume;
    readonly csf: Volume;
    readonly bias: Float32Array;
    /** mL, from the label map's own voxels. */
    readonly volumesMl: { readonly gm: number; readonly wm: number; readonly csf: number; readonly brain: number };
  };
}

const grey = (tissue: Tissue): boolean => tissue === 'gm' || tissue === 'deep_gm';

/** @param labels FreeSurfer numbers, any grid. Every image of the result lies on one grid. */
export function t1FromLabels(labels: LabelVolume, options: T1Options = {}): T1Phantom {
  const { contrast = 't1', noise = 0.03, biasSd = 0.1, seed = 1 } = options;
  const rng = random(seed);
  const native = voxelSize(labels.affine);
  const grid =
    options.voxelMm === undefined
      ? { shape: labels.shape, affine: labels.affine }
      : gridAtSpacing(labels, options.voxelMm);
  // Averages over the output voxel: a Gaussian of the box's own variance, (edge² - native²)/12.
  const edge = voxelSize(grid.affine);
  const box = ([0, 1, 2] as const).map((k) => Math.sqrt(Math.max(0, edge[k] ** 2 - native[k] ** 2) / 12) / native[k]);
  const sigma: readonly [number, number, number] = [box[0], box[1], box[2]];
  const onto = (values: Float32Array): Float32Array =>
    options.voxelMm === undefined
      ? values
      : resample({ ...labels, data: smooth(values, labels.shape, sigma) }, grid, IDENTITY);
  const paint = (value: (label: number) => number): Float32Array => paintLabels(labels, value);

  const means = CONTRASTS[contrast];
  const bias = biasField(grid.shape, biasSd, rng);
  const psf = smooth(onto(paint((label) => means[tissueOf(label)])), grid.shape, [0.4, 0.4, 0.4]);
  const sd = noise * means.wm;
  const data = psf.map((value, at) => Math.max(0, value * bias[at] + rng.normal() * sd));
  const fraction = (inside: (label: number) => boolean): Volume => ({
    ...grid,
    frames: 1,
    data: onto(paint((label) => (inside(label) ? 1 : 0))),
  });
  const nearestLabels = resample(labels, grid, IDENTITY, 'nearest');
  const truthLabels: LabelVolume = { ...grid, data: Uint16Array.from(nearestLabels) };
  const mask = (inside: (label: number) => boolean): MaskVolume => ({
    ...grid,
    data: maskWhere(truthLabels.data, inside),
  });
  const ml = (inside: (label: number) => boolean): number =>
    (labels.data.reduce((count, label) => count + (inside(label) ? 1 : 0), 0) * native[0] * native[1] * native[2]) /
    1000;
  const isGm = (label: number) => isIntracranial(label) && grey(tissueOf(label));
  const isWm = (label: number) => isIntracranial(label) && tissueOf(label) === 'wm';
  const isCsf = (label: number) => isIntracranial(label) && tissueOf(label) === 'csf';
  return {
    t1: { ...grid, frames: 1, data },
    truth: {
      labels: truthLabels,
      brain: mask(isBrain),
      intracranial: mask(isIntracranial),
      gm: fraction(isGm),
      wm: fraction(isWm),
      csf: fraction(isCsf),
      bias,
      volumesMl: { gm: ml(isGm), wm: ml(isWm), csf: ml(isCsf), brain: ml(isBrain) },
    },
  };
}

export interface PetOptions {
  readonly tracer?: Tracer;
  /** Full width at half maximum of the point spread, mm. */
  readonly fwhmMm?: number;
  readonly voxelMm?: number;
  readonly frames?: number;
  /** Motion between frames: within ± degrees and ± half as many mm. */
  readonly motion?: number;
  /** Noise of one frame relative to the square root of the uptake. */
  readonly noise?: number;
  /** Offset of the PET from the T1: within ± degrees and ± mm. */
  readonly rigid?: { readonly degrees: number; readonly mm: number };
  readonly seed?: number;
  /** Relative uptake of one label instead of its tissue's. */
  readonly uptake?: (label: number) => number | undefined;
}

export interface PetPhantom {
  readonly pet: Volume;
  readonly truth: {
    /** RAS mm of the T1 to RAS mm of the PET, per frame; the first is the series'. */
    readonly t1ToPet: readonly Affine[];
    /** Noise-free SUVR after the point spread on the label map's grid, reference whole cerebellum. */
    readonly suvr: Volume;
    /** Mean SUVR of each label after the point spread. */
    readonly suvrOf: ReadonlyMap<number, number>;
    readonly frameSeconds: readonly number[];
  };
}

const BECQUEREL_PER_ML = 8000;

/** @param labels FreeSurfer numbers in the T1's space. */
export function petFromLabels(labels: LabelVolume, options: PetOptions = {}): PetPhantom {
  const { tracer = 'fdg', fwhmMm = 6, voxelMm = 2, frames = 1, motion = 0, noise = 0.1, seed = 3 } = options;
  const rng = random(seed);
  const native = voxelSize(labels.affine);
  const table = UPTAKE[tracer];
  const activity = paintLabels(labels, (label) => options.uptake?.(label) ?? table[tissueOf(label)]);
  const s = fwhmMm / 2.3548;
  const blurred = smooth(activity, labels.shape, [s / native[0], s / native[1], s / native[2]]);

  const centre = centreOf(labels);
  const series = randomRigid(rng, options.rigid?.degrees ?? 0, options.rigid?.mm ?? 0, centre);
  const t1ToPet = Array.from({ length: frames }, (_, frame) =>
    frame === 0 || motion === 0 ? series : multiplyAffines(randomRigid(rng, motion, motion / 2, centre), series),
  );
  const grid = gridAtSpacing(labels, voxelMm);
  const voxels = grid.shape[0] * grid.shape[1] * grid.shape[2];
  const data = new Float32Array(voxels * frames);
  for (let frame = 0; frame < frames; frame++) {
    const signal = resample({ ...labels, data: blurred }, grid, invertAffine(t1ToPet[frame]));
    data.set(addPetNoise(signal, grid.shape, noise, rng), frame * voxels);
  }
  const { suvr, suvrOf } = suvrTruth(labels, blurred);
  return {
    pet: { ...grid, frames, data },
    truth: { t1ToPet, suvr, suvrOf, frameSeconds: Array.from({ length: frames }, () => 300) },
  };
}

/** Correlated noise (1.2 voxels, as reconstruction leaves it) growing with the square root of the uptake; Bq/mL. */
export function addPetNoise(
  signal: Float32Array,
  shape: Shape3,
  noise: number,
  rng: ReturnType<typeof random>,
): Float32Array {
  const white = Float32Array.from({ length: signal.length }, () => rng.normal());
  const correlated = noise === 0 ? white : smooth(white, shape, [1.2, 1.2, 1.2]);
  return signal.map((value, at) =>
    Math.max(0, (value + correlated[at] * noise * Math.sqrt(Math.max(0, value))) * BECQUEREL_PER_ML),
  );
}

function suvrTruth(labels: LabelVolume, blurred: Float32Array) {
  const sum = new Map<number, [number, number]>();
  labels.data.forEach((label, at) => {
    const entry = sum.get(label) ?? [0, 0];
    entry[0] += blurred[at];
    entry[1] += 1;
    sum.set(label, entry);
  });
  let total = 0;
  let count = 0;
  for (const label of CEREBELLUM_FS_LABELS) {
    const [value, voxels] = sum.get(label) ?? [0, 0];
    total += value;
    count += voxels;
  }
  const reference = total / count;
  const suvr: Volume = { ...labels, frames: 1, data: blurred.map((value) => value / reference) };
  const suvrOf = new Map([...sum].map(([label, [value, voxels]]) => [label, value / voxels / reference]));
  return { suvr, suvrOf };
}

function paintLabels(labels: LabelVolume, value: (label: number) => number): Float32Array {
  const table = Float32Array.from({ length: 65536 }, (_, label) => value(label));
  const out = new Float32Array(labels.data.length);
  for (let at = 0; at < out.length; at++) out[at] = table[labels.data[at]];
  return out;
}

const centreOf = (image: LabelVolume): Vec3 =>
  applyAffine(image.affine, [(image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2, (image.shape[2] - 1) / 2]);
