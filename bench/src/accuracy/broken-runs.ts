/**
 * Whether quality control tells broken runs from good ones: a good run's atlas, PET or brain mask is put in the wrong place by a known
 * amount, and the metrics judge it. The ROC is over that known amount.
 */
import {
  type PetQualityInput,
  petQuality,
  prepareTemplate,
  type QualityMetric,
  registrationQuality,
  resample,
  resampleMask,
  type Verdict,
  worst,
} from '@engram/imaging';
import { openDevice } from '@engram/kernels';
import { ensureAtlas, loadAtlas } from '@engram/pipelines';
import { petFromLabels, random, rigid, t1FromLabels } from '@engram/testing';
import {
  type Affine,
  applyAffine,
  gridOf,
  IDENTITY,
  type MaskVolume,
  maskWhere,
  multiplyAffines,
  type Vec3,
  type Volume,
} from '@engram/volume';
import { dice, mean } from '../scores.ts';
import { readSubject } from './label-maps.ts';
import { withPipeline } from './pipeline-on.ts';

/** What was broken, and from which error on the result is of no use. */
export const BREAKS = {
  atlas: {
    broken: 'more than 5 mm off, mean over the brain',
    isBroken: (mm: number) => mm > 5,
    leading: 'registration_ncc',
  },
  pet: {
    broken: 'more than 4 mm off, mean over the brain',
    isBroken: (mm: number) => mm > 4,
    leading: 'pet_t1_tissue_fit',
  },
  mask: {
    broken: 'Dice with the true brain below 0.9',
    isBroken: (lost: number) => lost > 0.1,
    leading: 'registration_brain_dice',
  },
} as const;

export type Break = keyof typeof BREAKS;

export interface JudgedRun {
  readonly kind: Break;
  /** mm for places, 1 - Dice for masks. */
  readonly error: number;
  readonly broken: boolean;
  readonly verdict: Verdict;
  /** Of the kind's leading metric: larger is better. */
  readonly score: number;
}

/** mm; each with three directions drawn at random, and a turn of a degree per mm. */
const SHIFTS = [0, 1, 2, 3, 4, 6, 8, 12, 18];
const DIRECTIONS = 3;
/** Share of the brain's height cut off from below, and mm of scalp or of cortex that a mask has too much or too little. */
const CUTS = [0, 0.05, 0.1, 0.2, 0.3, 0.45];
const VOXEL_MM = 2;

export async function judgeBrokenRuns(subject: string): Promise<JudgedRun[]> {
  const labels = await readSubject(subject);
  const seed = Number(subject);
  const phantom = t1FromLabels(labels, { seed, voxelMm: VOXEL_MM });
  const { pet } = petFromLabels(labels, { seed, voxelMm: 3, rigid: { degrees: 5, mm: 6 } });
  const atlas = await loadAtlas(await ensureAtlas());
  const template = await prepareTemplate(atlas.t1, atlas.brain);
  const device = await openDevice();
  try {
    return await withPipeline({ t1: phantom.t1, pet }, async ({ image, mask, json }) => {
      const t1 = await image('n4/n4.nii.gz');
      const brain = await mask('brain/brain_mask.nii.gz');
      const [gm, wm, csf] = await Promise.all(['gm', 'wm', 'csf'].map((name) => image(`tissue/${name}.nii.gz`)));
      const toTemplate = (await json('brain/brain.json'))['to_template'] as Affine;
      const toPet = (await json('pet-to-t1/alignment.json'))['t1_to_pet'] as Affine;
      const reference = (await json('suvr/suvr.json'))['reference_mean'] as number;
      const average = await image('pet-average/pet_mean.nii.gz');
      const points = pointsIn(brain);
      const grid = gridOf(t1);

      const atlasAt = async (move: Affine, own: MaskVolume): Promise<readonly QualityMetric[]> => {
        const transform = { matrix: multiplyAffines(toTemplate, move) };
        return registrationQuality({
          t1,
          brain: own,
          gm,
          template: await resample(inside(atlas.t1, template.brain), grid, transform, device),
          templateBrain: (await resampleMask(template.brain, grid, transform, device)).data,
          templateGm: (await resample(inside(atlas.gm, template.brain), grid, transform, device)).data,
        }).metrics;
      };
      const petAt = async (move: Affine): Promise<readonly QualityMetric[]> => {
        const matrix = multiplyAffines(toPet, move);
        const moved = await resample(average, grid, { matrix, outside: Number.NaN }, device);
        const fov = { ...grid, data: maskWhere(moved.data, Number.isFinite) };
        const suvr = { ...moved, data: moved.data.map((v) => (Number.isFinite(v) ? v / reference : 0)) };
        const input: PetQualityInput = { suvr, fov, brain, gm, wm, csf, normalisedMutualInformation: 0 };
        return petQuality(input, device);
      };
      const judged = (kind: Break, error: number, metrics: readonly QualityMetric[]): JudgedRun => ({
        kind,
        error,
        broken: BREAKS[kind].isBroken(error),
        verdict: worst(metrics.map(({ verdict }) => verdict)),
        score: metrics.find(({ name }) => name === BREAKS[kind].leading)?.value ?? Number.NEGATIVE_INFINITY,
      });

      const runs: JudgedRun[] = [];
      const chance = random(seed);
      for (const mm of SHIFTS)
        for (let n = 0; n < (mm === 0 ? 1 : DIRECTIONS); n++) {
          const move = rigidAbout(centreOf(points), mm, chance.normal);
          const error = mean(points.map((point) => distance(point, applyAffine(move, point))));
          runs.push(judged('atlas', error, await atlasAt(move, brain)));
          runs.push(judged('pet', error, await petAt(move)));
        }
      for (const share of CUTS) {
        const cut = cutFromBelow(brain, share);
        const overlap = dice(
          cut.data.length,
          (at) => cut.data[at] > 0,
          (at) => phantom.truth.brain.data[at] > 0,
        );
        runs.push(judged('mask', 1 - overlap, await atlasAt(IDENTITY, cut)));
      }
      return runs;
    });
  } finally {
    await device.close();
  }
}

/** Area under the ROC of "larger is better": the chance that a good run scores above a broken one (Mann & Whitney 1947). */
export function areaUnderRoc(runs: readonly JudgedRun[]): number {
  const [good, bad] = [runs.filter(({ broken }) => !broken), runs.filter(({ broken }) => broken)];
  const wins = good.flatMap((g) => bad.map((b) => (g.score > b.score ? 1 : g.score === b.score ? 0.5 : 0)));
  return mean(wins);
}

/** Every 997th voxel of the mask, RAS mm. */
function pointsIn({ shape: [nx, ny], affine, data }: MaskVolume): Vec3[] {
  const points: Vec3[] = [];
  let seen = 0;
  for (let at = 0; at < data.length; at++)
    if (data[at] > 0 && seen++ % 997 === 0)
      points.push(applyAffine(affine, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]));
  return points;
}

const distance = (a: Vec3, b: Vec3): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

const inside = (image: Volume, mask: MaskVolume): Volume => ({
  ...image,
  data: image.data.map((value, at) => (mask.data[at] > 0 ? Math.max(0, value) : 0)),
});

/** A shift of `mm` and a turn of as many degrees about `centre`, both in directions drawn at random. */
function rigidAbout(centre: Vec3, mm: number, normal: () => number): Affine {
  const drawn = (): Vec3 => {
    const v: Vec3 = [normal(), normal(), normal()];
    const scale = mm / Math.hypot(...v);
    return [v[0] * scale, v[1] * scale, v[2] * scale];
  };
  return rigid(drawn(), drawn(), centre);
}

const centreOf = (points: readonly Vec3[]): Vec3 => [
  mean(points.map(([x]) => x)),
  mean(points.map(([, y]) => y)),
  mean(points.map(([, , z]) => z)),
];

/** Without the lowest `share` of its height, along whichever voxel axis runs upwards. */
function cutFromBelow(mask: MaskVolume, share: number): MaskVolume {
  const [nx, ny] = mask.shape;
  const heights = new Float64Array(mask.data.length);
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < heights.length; at++) {
    if (mask.data[at] === 0) continue;
    heights[at] = applyAffine(mask.affine, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))])[2];
    low = Math.min(low, heights[at]);
    high = Math.max(high, heights[at]);
  }
  const floor = low + share * (high - low);
  return { ...mask, data: maskWhere(mask.data, (value, at) => value > 0 && heights[at] >= floor) };
}
