/** Overlap of anatomical labels after deformable registration of one phantom's brain to another's. */
import { registerAffine, registerDeformable, resampleLabels } from '@engram/imaging';
import { openDevice } from '@engram/kernels';
import { t1FromLabels } from '@engram/testing';
import type { MaskVolume, Volume } from '@engram/volume';
import { labelDice } from '../scores.ts';
import { readSubject } from './label-maps.ts';

/** The labels that the yardstick scores (FreeSurfer numbers). */
const SCORED = [
  2, 3, 4, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 26, 28, 41, 42, 43, 46, 47, 49, 50, 51, 52, 53, 54, 58, 60,
];

export interface PairScores {
  readonly fixed: string;
  readonly moving: string;
  readonly affineDice: number;
  readonly dice: number;
  readonly jacobianMin: number;
  readonly folded: number;
  readonly inverseP95Mm: number;
  readonly cpuSeconds: number;
  readonly device: string;
}

const stripped = (t1: Volume, brain: MaskVolume): Volume => ({
  ...t1,
  data: t1.data.map((value, at) => (brain.data[at] > 0 ? value : 0)),
});

export async function scorePair(fixedName: string, movingName: string): Promise<PairScores> {
  const [fixedLabels, movingLabels] = await Promise.all([readSubject(fixedName), readSubject(movingName)]);
  const fixed = t1FromLabels(fixedLabels, { seed: Number(fixedName), biasSd: 0 });
  const moving = t1FromLabels(movingLabels, { seed: Number(movingName), biasSd: 0 });
  const a = stripped(fixed.t1, fixed.truth.brain);
  const b = stripped(moving.t1, moving.truth.brain);
  const device = await openDevice({});
  try {
    const cpu = process.cpuUsage();
    const { matrix } = await registerAffine(a, b, { fixedMask: fixed.truth.brain });
    const { forward, report } = await registerDeformable(
      a,
      b,
      { initial: matrix, fixedMask: fixed.truth.brain },
      device,
    );
    const used = process.cpuUsage(cpu);
    const affine = await resampleLabels(movingLabels, fixedLabels, { matrix }, device);
    const warped = await resampleLabels(movingLabels, fixedLabels, { field: forward }, device);
    return {
      fixed: fixedName,
      moving: movingName,
      affineDice: labelDice(affine.data, fixedLabels.data, SCORED).mean,
      dice: labelDice(warped.data, fixedLabels.data, SCORED).mean,
      jacobianMin: report.jacobianMin,
      folded: report.foldedVoxels,
      inverseP95Mm: report.inverseConsistencyMm.p95,
      cpuSeconds: (used.user + used.system) / 1e6,
      device: device.info.name,
    };
  } finally {
    await device.close();
  }
}
