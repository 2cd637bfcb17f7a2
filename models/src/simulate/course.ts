/**
 * The true course of a person, monthly: CDR sum of boxes by Delor 2013, ADAS-Cog by the Richards growth of Conrado 2014,
 * MMSE from the sum of boxes, atrophy from latent severity.
 *
 * Delor V et al., "Modeling Alzheimer's disease progression using disease onset time and disease trajectory concepts
 * applied to CDR-SOB scores from ADNI", CPT Pharmacometrics Syst Pharmacol 2:e78, 2013.
 * Conrado DJ et al., "An updated Alzheimer's disease progression model: incorporating non-linearity, beta regression and
 * a third-level random effect in NONMEM", J Pharmacokinet Pharmacodyn 41:581, 2014.
 */
import type { Random } from '../random.ts';
import { boxesOf, type Person } from './person.ts';

export const STEPS_PER_YEAR = 12;

export interface Course {
  /** Values at month k after entry. */
  readonly boxes: Float64Array;
  readonly mmse: Float64Array;
  readonly adas: Float64Array;
  /** Disease-related loss of hippocampal volume, as a share in log units. */
  readonly atrophy: Float64Array;
}

/** Level and rate fit the published means: 0.12 at MCI, 0.25 at AD dementia below normal; about 4 % a year in AD. */
const atrophyOf = (severity: number): number => 0.03 * (severity + 1.9) + 0.045 * Math.max(0, severity - 1.5);

/** Early gain of being seen and examined, in boxes (Delor 2013: 0.434, which is not the logarithm it looks like). */
const LEARNED = 434 / 1000;

const ADAS_MAXIMUM = 85;
const ADAS_SHAPE = 6.91;

function adasRate(person: Person, random: Random): number {
  const byClass = person.stage === 'dementia' ? 0.15 : person.stage === 'impaired' ? 0.125 : 0.06;
  const rate = person.fast ? byClass * person.speed ** 0.6 : 0.022;
  const covariates = (1 - 0.024 * (person.ageAtEntry - 75)) * (1 + 0.195 * (person.apoe4 - 0.72));
  return Math.max(0, rate * Math.max(0.2, covariates) * Math.exp(random.normal(0, 0.35)) + random.normal(0, 0.01));
}

const ADAS_AT_ENTRY = { normal: [9.5, 3.6], impaired: [18.2, 5.4], dementia: [29.5, 7] } as const;
const MMSE_ORIGIN = { normal: [29.2, 0.8], impaired: [29.2, 1.2], dementia: [29.1, 1.6] } as const;

/** Functional loss outruns cognition in dementia: past a sum of boxes of 4 each further box costs fewer MMSE points. */
const mmseBoxes = (boxes: number): number => Math.min(boxes, 4) + 0.75 * Math.max(0, boxes - 4);

export function simulateCourse(person: Person, years: number, random: Random): Course {
  const steps = Math.round(years * STEPS_PER_YEAR) + 1;
  const course: Course = {
    boxes: new Float64Array(steps),
    mmse: new Float64Array(steps),
    adas: new Float64Array(steps),
    atrophy: new Float64Array(steps),
  };
  const [mmseMean, mmseSd] = MMSE_ORIGIN[person.stage];
  const mmseOrigin = random.normal(mmseMean, mmseSd) + 0.06 * (person.educationYears - 16);
  const mmsePerBox = 1.33 * Math.exp(random.normal(0, 0.22));
  const [adasMean, adasSd] = ADAS_AT_ENTRY[person.stage];
  const entryBoxes = boxesOf(person.severityAtEntry);
  const stageBoxes = { normal: 0.05, impaired: 1.6, dementia: 4.3 }[person.stage];
  let adas = Math.max(2, random.normal(adasMean, adasSd) + 1.6 * Math.max(-3, Math.min(3, entryBoxes - stageBoxes)));
  const growth = adasRate(person, random);
  const drift = person.fast ? 0.373 * person.speed ** 0.5 : 0.26;
  const entryMmse = Math.max(12, mmseOrigin - mmsePerBox * mmseBoxes(entryBoxes));
  const acceleration = person.fast ? 0.0499 * (entryMmse / 26) ** -2.01 * person.speed : 0;
  // Among the cognitively normal of the slow class, severity stands nearly still: that is what most of them do.
  const scale = person.stage === 'normal' && !person.fast ? 0.5 : 1;
  let severity = person.severityAtEntry;
  for (let k = 0; k < steps; k++) {
    const t = k / STEPS_PER_YEAR;
    const learned = LEARNED * (1 - Math.exp(-t));
    const boxes = Math.min(18, Math.max(0, boxesOf(severity) - learned * Math.min(1, boxesOf(severity))));
    course.boxes[k] = boxes;
    course.mmse[k] = Math.max(0, Math.min(30, mmseOrigin - mmsePerBox * mmseBoxes(boxesOf(severity)) - 0.06 * t));
    course.adas[k] = Math.min(ADAS_MAXIMUM, adas);
    course.atrophy[k] = atrophyOf(severity);
    severity += (scale * (drift + acceleration * Math.max(0, severity))) / STEPS_PER_YEAR;
    adas += (growth * adas * (1 - (Math.min(adas, ADAS_MAXIMUM) / ADAS_MAXIMUM) ** ADAS_SHAPE)) / STEPS_PER_YEAR;
  }
  return course;
}
