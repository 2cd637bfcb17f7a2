/**
 * Heads that are hard to get right, painted on a label map with exact truth: each must come out right or be refused or flagged.
 * Where the regions lie is judged against the plain head's own run, carried over by the known motion.
 */
import { boxAround, cropLabels, resampleLabels } from '@engram/imaging';
import { openDevice } from '@engram/kernels';
import { rigid, t1FromLabels } from '@engram/testing';
import {
  type Affine,
  type Grid,
  gridOf,
  IDENTITY,
  invertAffine,
  isotropicGrid,
  type LabelVolume,
  maskWhere,
  multiplyAffines,
} from '@engram/volume';
import { dice, labelDice } from '../scores.ts';
import { readSubject } from './label-maps.ts';
import { withPipeline } from './pipeline-on.ts';

interface Hardship {
  readonly name: string;
  /** How the head lies, against the plain one: RAS mm to RAS mm. */
  readonly motion?: Affine;
  readonly voxelMm?: number;
  readonly biasSd?: number;
  readonly noise?: number;
  /** Cut off the field of view, mm above the lowest and below the highest voxel of the head. */
  readonly cutBelowMm?: number;
  readonly cutAboveMm?: number;
}

const scaled = (s: number): Affine => [s, 0, 0, 0, 0, s, 0, 0, 0, 0, s, 0, 0, 0, 0, 1];

/** The plain head comes first: the others are compared with it. It holds the neck. */
const HARDSHIPS: readonly Hardship[] = [
  { name: 'plain, neck included' },
  { name: 'turned by 45° about the body axis', motion: rigid([0, 0, 45], [0, 0, 0]) },
  { name: 'nodding by 45°', motion: rigid([45, 0, 0], [0, 0, 0]) },
  { name: 'shifted by 80 mm along each axis', motion: rigid([0, 0, 0], [80, -80, 80]) },
  { name: '2 mm voxels', voxelMm: 2 },
  { name: '0.7 mm voxels', voxelMm: 0.7 },
  { name: 'cut 60 mm above the lowest voxel', cutBelowMm: 60 },
  { name: 'cut 25 mm below the top, through the brain', cutAboveMm: 25 },
  { name: 'bias field of 30 %', biasSd: 0.3 },
  { name: 'noise of 9 %', noise: 0.09 },
  { name: 'a child’s size (0.8)', motion: scaled(0.8) },
];

export interface HardHeadScores {
  readonly subject: string;
  readonly name: string;
  /** A code where it was refused. */
  readonly outcome: string;
  readonly brainDice: number | null;
  /** Mean Dice of the regions with those of the plain head; null for that head itself. */
  readonly regionDice: number | null;
  readonly reasons: readonly string[];
}

/** Of one label map; the plain head first. */
export async function* scoreHardHeads(subject: string): AsyncGenerator<HardHeadScores> {
  const whole = await readSubject(subject);
  const head = { ...gridOf(whole), data: maskWhere(whole.data, (label) => label > 0 && label !== 502) };
  const labels = cropLabels(whole, boxAround(head, 5));
  const device = await openDevice({ backend: 'wasm' });
  let plain: LabelVolume | undefined;
  try {
    for (const hardship of HARDSHIPS) {
      const { name, motion = IDENTITY, voxelMm, biasSd = 0.1, noise = 0.03 } = hardship;
      const grid = viewOf(labels, hardship, motion);
      const back = invertAffine(motion);
      const painted = await resampleLabels(labels, grid, { matrix: back }, device);
      const { t1, truth } = t1FromLabels(painted, {
        biasSd,
        noise,
        seed: Number(subject),
        ...(voxelMm === undefined ? {} : { voxelMm }),
      });
      yield await withPipeline({ t1 }, async ({ outcome, mask, labels: labelsOf, json }) => {
        const none = { subject, name, brainDice: null, regionDice: null };
        if (outcome.error) return { ...none, outcome: `refused: ${outcome.error.code}`, reasons: [] };
        const quality = (await json('quality/quality_metrics.json')) as { verdict: string; reasons: string[] };
        const brain = await mask('brain/brain_mask.nii.gz');
        const regions = await labelsOf('atlas/atlas_in_t1.nii.gz');
        const expected = plain && (await resampleLabels(plain, gridOf(regions), { matrix: back }, device));
        plain ??= regions;
        return {
          subject,
          name,
          outcome: quality.verdict,
          brainDice: dice(
            brain.data.length,
            (at) => brain.data[at] > 0,
            (at) => truth.brain.data[at] > 0,
          ),
          regionDice: expected ? labelDice(regions.data, expected.data, REGION_VALUES).mean : null,
          reasons: quality.reasons,
        };
      });
    }
  } finally {
    await device.close();
  }
}

const REGION_VALUES = Array.from({ length: 116 }, (_, k) => k + 1);

/** Axis-aligned, 1 mm: as a scanner would see the head that lies so. */
function viewOf(labels: LabelVolume, { cutBelowMm = 0, cutAboveMm = 0 }: Hardship, motion: Affine): Grid {
  const { shape, affine } = isotropicGrid({ shape: labels.shape, affine: multiplyAffines(motion, labels.affine) }, 1);
  const lift: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, cutBelowMm, 0, 0, 0, 1];
  return {
    shape: [shape[0], shape[1], shape[2] - cutBelowMm - cutAboveMm],
    affine: multiplyAffines(affine, lift),
  };
}
