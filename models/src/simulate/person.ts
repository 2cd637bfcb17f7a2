/**
 * One simulated person. Published statistics only, no patient rows. Figures by stage: ADNI-1 baseline tables (Petersen
 * 2010 and later summaries); shares of amyloid-positive people by stage follow amyloid PET cohorts.
 */
import type { Random } from '../random.ts';

export type EntryStage = 'normal' | 'impaired' | 'dementia';

export interface Person {
  readonly stage: EntryStage;
  readonly ageAtEntry: number;
  readonly female: boolean;
  readonly educationYears: number;
  readonly apoe4: number;
  readonly amyloidPositive: boolean;
  /** Fast or slow class of Delor 2013. */
  readonly fast: boolean;
  /** Latent severity A at entry, Delor 2013. */
  readonly severityAtEntry: number;
  /** Individual multiplier of the disease rate (log-normal). */
  readonly speed: number;
  readonly headMl: number;
}

interface StageFigures {
  readonly share: number;
  readonly age: readonly [number, number];
  readonly female: number;
  readonly education: readonly [number, number];
  readonly apoe4Carrier: number;
  readonly amyloid: number;
  readonly slow: number;
}

const FIGURES: Readonly<Record<EntryStage, StageFigures>> = {
  normal: {
    share: 0.3,
    age: [74.5, 6],
    female: 0.48,
    education: [16, 2.9],
    apoe4Carrier: 0.27,
    amyloid: 0.3,
    slow: 0.86,
  },
  impaired: {
    share: 0.45,
    age: [74, 7.4],
    female: 0.38,
    education: [15.8, 3],
    apoe4Carrier: 0.5,
    amyloid: 0.6,
    slow: 0.44,
  },
  dementia: {
    share: 0.25,
    age: [75.3, 7.5],
    female: 0.47,
    education: [14.7, 3.1],
    apoe4Carrier: 0.66,
    amyloid: 0.88,
    slow: 0.03,
  },
};

/** CDR sum of boxes from latent severity: Delor 2013, CPT Pharmacometrics Syst Pharmacol 2:e78, logistic link. */
export const boxesOf = (severity: number): number => 18 / (1 + Math.exp(4.48 - severity));
const severityOf = (boxes: number): number => 4.48 - Math.log(18 / boxes - 1);

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
const logit = (p: number): number => Math.log(p / (1 - p));

function severityAtEntry(stage: EntryStage, random: Random): number {
  if (stage === 'normal') return random.normal(-1.4, 0.8);
  if (stage === 'impaired') return severityOf(clamp(Math.exp(random.normal(Math.log(1.4), 0.5)), 0.4, 4));
  return severityOf(clamp(random.normal(4.3, 1.5), 2, 10));
}

export function simulatePerson(random: Random): Person {
  const draw = random.uniform();
  const stage: EntryStage =
    draw < FIGURES.normal.share
      ? 'normal'
      : draw < FIGURES.normal.share + FIGURES.impaired.share
        ? 'impaired'
        : 'dementia';
  const figures = FIGURES[stage];
  const carrier = random.chance(figures.apoe4Carrier);
  const apoe4 = carrier ? (random.chance(0.2) ? 2 : 1) : 0;
  const amyloidPositive = random.chance(clamp(figures.amyloid + 0.25 * (apoe4 - 0.6), 0.05, 0.97));
  const severity = severityAtEntry(stage, random);
  // Delor: the odds of the slow class fall with the sum of boxes (-1.27 a point around the stage's own level) and, by
  // amyloid status, in the direction of every amyloid cohort; the FAQ and hippocampal terms are folded into the latter.
  const oddsSlow =
    logit(figures.slow) -
    (stage === 'impaired' ? 0.6 * (boxesOf(severity) - 1.6) : 0) +
    (amyloidPositive ? -1.1 : 1.1) * (stage === 'dementia' ? 0.5 : 1);
  const female = random.chance(figures.female);
  return {
    stage,
    ageAtEntry: clamp(random.normal(...figures.age), 55, 92),
    female,
    educationYears: Math.round(clamp(random.normal(...figures.education), 6, 20)),
    apoe4,
    amyloidPositive,
    fast: !random.chance(1 / (1 + Math.exp(-oddsSlow))),
    severityAtEntry: severity,
    speed: Math.exp(random.normal(0, 0.45)),
    headMl: clamp(random.normal(female ? 1390 : 1560, 110), 1050, 1950),
  };
}
