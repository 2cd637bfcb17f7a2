/** How well a template was brought onto a T1, from measures that need no labels. */
import type { MaskVolume, Volume } from '@engram/volume';
import { judge, type QualityMetric, type Verdict, worst } from './metric.ts';
import { correlation, diceOf, softDice } from './statistics.ts';

export interface RegistrationQualityInput {
  /** Bias-corrected T1, its brain and its grey matter. */
  readonly t1: Volume;
  readonly brain: MaskVolume;
  readonly gm: Volume;
  /** The template's brain image, mask and grey matter on the grid of the T1. */
  readonly template: Volume;
  readonly templateBrain: ArrayLike<number>;
  readonly templateGm: ArrayLike<number>;
  /** det of the Jacobian of the map T1 → template, without the affine part, on any grid; absent for a linear one. */
  readonly jacobian?: ArrayLike<number>;
}

export type RegistrationGrade = 'good' | 'acceptable' | 'poor' | 'failed';

export interface RegistrationQuality {
  readonly grade: RegistrationGrade;
  readonly metrics: readonly QualityMetric[];
}

export function registrationQuality(input: RegistrationQualityInput): RegistrationQuality {
  const { t1, brain, gm, template, templateBrain, templateGm, jacobian } = input;
  const both = (at: number): boolean => brain.data[at] > 0 && templateBrain[at] > 0;
  const metrics = [
    judge(correlation(t1.data, template.data, both), {
      name: 'registration_ncc',
      unit: '',
      formula: "Pearson's r of the T1 and the template brought onto it, inside both brain masks",
      pass: [0.5, 1],
      review: [0.35, 1],
    }),
    judge(diceOf(brain.data, templateBrain), {
      name: 'registration_brain_dice',
      unit: '',
      formula: 'Dice overlap of the brain mask and the template brain brought onto the T1',
      pass: [0.92, 1],
      review: [0.85, 1],
    }),
    judge(softDice(gm.data, templateGm), {
      name: 'registration_gm_overlap',
      unit: '',
      formula: 'sum of 2 min(p, q) / sum of (p + q) of the T1 grey matter and the template grey matter brought onto it',
      pass: [0.65, 1],
      review: [0.5, 1],
    }),
  ];
  if (jacobian) {
    let [folded, count, least, most] = [0, 0, Infinity, -Infinity];
    for (let at = 0; at < jacobian.length; at++) {
      if (brain.data.length === jacobian.length && brain.data[at] === 0) continue;
      count++;
      const value = jacobian[at];
      if (value <= 0) folded++;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    metrics.push(
      judge((100 * folded) / count, {
        name: 'registration_folded_percent',
        unit: '%',
        formula: 'share of brain voxels where det of the Jacobian of the deformation is not positive',
        pass: [0, 0.01],
        review: [0, 0.5],
      }),
      judge(least, {
        name: 'registration_jacobian_min',
        unit: '',
        formula: 'least det of the Jacobian of the deformation inside the brain',
        pass: [0.01, Infinity],
        review: [-0.5, Infinity],
      }),
      judge(most, {
        name: 'registration_jacobian_max',
        unit: '',
        formula: 'largest det of the Jacobian of the deformation inside the brain',
        pass: [-Infinity, 12],
        review: [-Infinity, 30],
      }),
    );
  }
  return { grade: gradeOf(metrics.map(({ verdict }) => verdict)), metrics };
}

/** Good: all pass. Acceptable: one to review. Poor: several to review. Failed: any fails. */
function gradeOf(verdicts: readonly Verdict[]): RegistrationGrade {
  if (worst(verdicts) === 'fail') return 'failed';
  const doubtful = verdicts.filter((verdict) => verdict === 'review').length;
  return doubtful === 0 ? 'good' : doubtful === 1 ? 'acceptable' : 'poor';
}
