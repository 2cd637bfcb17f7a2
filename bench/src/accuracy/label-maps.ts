/** Phantoms from label maps of whole heads: masks, tissues, ventricles, PET position and SUVR against exact truth. */
import { readLabels } from '@engram/formats';
import { petFromLabels, sharedData, t1FromLabels } from '@engram/testing';
import { type Affine, applyAffine, type LabelVolume, type Vec3, type Volume, voxelVolume } from '@engram/volume';
import { dice, mean, median, percentError, pointErrors } from '../scores.ts';
import { withPipeline } from './pipeline-on.ts';

/** Settings were chosen on the first two; the others are reported on. */
export const TUNED_ON = ['03', '05'] as const;
export const REPORTED_ON = ['07', '11', '13'] as const;
export const SUBJECTS = [...TUNED_ON, ...REPORTED_ON] as const;

/** FreeSurfer numbers: lateral with their inferior horns, third, fourth and the cavity of the septum, as `findVentricles` takes them. */
const VENTRICLES = new Set([4, 5, 14, 15, 43, 44, 72]);
/** Grey structures large enough that their mean SUVR is a fair question. */
const SUVR_LABELS = [3, 42, 10, 49, 11, 50, 12, 51, 17, 53];

export const readSubject = async (subject: string): Promise<LabelVolume> =>
  (await readLabels(sharedData('labels', `training_seg_${subject}.nii.gz`))).labels;

export interface SubjectScores {
  readonly subject: string;
  readonly contrast: string;
  readonly verdict: string;
  readonly brainDice: number;
  readonly gm: number;
  readonly wm: number;
  readonly csf: number;
  readonly ventricleErrorPercent: number;
  readonly petErrorMm: number;
  readonly suvrErrorPercent: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
  readonly device: string;
}

export async function scoreSubject(subject: string, contrast: 't1' | 't1-low' = 't1'): Promise<SubjectScores> {
  const labels = await readSubject(subject);
  const phantom = t1FromLabels(labels, { contrast, seed: Number(subject) });
  const pet = petFromLabels(labels, { seed: Number(subject), rigid: { degrees: 7, mm: 8 } });
  return withPipeline({ t1: phantom.t1, pet: pet.pet }, async ({ outcome, mask, image, json }) => {
    if (outcome.error && outcome.failedTask !== undefined) throw outcome.error;
    const { truth } = phantom;
    const brain = await mask('brain/brain_mask.nii.gz');
    const [gm, wm, csf] = await Promise.all(['gm', 'wm', 'csf'].map((name) => image(`tissue/${name}.nii.gz`)));
    const tissue = (posterior: Volume, fraction: Volume): number =>
      // Inside the true brain: fluid around the brain is no part of what the mask promises.
      dice(
        brain.data.length,
        (at) => truth.brain.data[at] > 0 && posterior.data[at] > 0.5,
        (at) => truth.brain.data[at] > 0 && fraction.data[at] > 0.5,
      );
    const tissueMl = (await json('tissue/tissue.json'))['tissue_ml'] as { ventricles: number };
    const alignment = (await json('pet-to-t1/alignment.json'))['t1_to_pet'] as Affine;
    const suvr = await image('suvr/pet_suvr.nii.gz');
    return {
      subject,
      contrast,
      verdict: await verdictOf(json),
      brainDice: dice(
        brain.data.length,
        (at) => brain.data[at] > 0,
        (at) => truth.brain.data[at] > 0,
      ),
      gm: tissue(gm, truth.gm),
      wm: tissue(wm, truth.wm),
      csf: tissue(csf, truth.csf),
      ventricleErrorPercent: percentError(tissueMl.ventricles, labelMl(labels, VENTRICLES)),
      petErrorMm: mean(pointErrors(alignment, pet.truth.t1ToPet[0], pointsIn(labels))),
      suvrErrorPercent: median(
        SUVR_LABELS.map((label) =>
          percentError(meanIn(suvr, labels, label), pet.truth.suvrOf.get(label) ?? Number.NaN),
        ),
      ),
      cpuSeconds: outcome.cpuSeconds,
      peakMemoryMb: outcome.peakMemoryMb,
      device: outcome.device.name,
    };
  });
}

async function verdictOf(json: (output: string) => Promise<Record<string, unknown>>): Promise<string> {
  const { verdict } = (await json('quality/quality_metrics.json')) as { verdict?: string };
  return verdict ?? '–';
}

function labelMl(labels: LabelVolume, wanted: ReadonlySet<number>): number {
  return (
    (labels.data.reduce((count, label) => count + (wanted.has(label) ? 1 : 0), 0) * voxelVolume(labels.affine)) / 1000
  );
}

function meanIn(image: Volume, labels: LabelVolume, label: number): number {
  let sum = 0;
  let count = 0;
  labels.data.forEach((value, at) => {
    if (value !== label) return;
    sum += image.data[at];
    count++;
  });
  return sum / count;
}

/** Every 997th brain voxel's centre, RAS mm. */
function pointsIn(labels: LabelVolume): readonly Vec3[] {
  const [nx, ny] = labels.shape;
  const points: Vec3[] = [];
  let seen = 0;
  labels.data.forEach((label, at) => {
    if (label === 0 || label >= 500 || seen++ % 997 !== 0) return;
    points.push(applyAffine(labels.affine, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]));
  });
  return points;
}
