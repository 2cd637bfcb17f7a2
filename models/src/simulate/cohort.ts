/** Examples for fitting: what was known of a simulated person at an index date, and what was measured afterwards. */
import { HORIZONS_MONTHS, SCORES, type Score } from '@engram/contracts';
import type { History, ImagingAt, ScoreAt } from '../inputs/history.ts';
import type { Random } from '../random.ts';
import { simulateCourse } from './course.ts';
import { drawAnatomy, measureAmyloid, measureFdg, measureMri, measureScores } from './measure.ts';
import { type Person, simulatePerson } from './person.ts';

export interface Example {
  readonly history: History;
  /** `[horizon * 4 + score]` in the order of HORIZONS_MONTHS and SCORES; NaN where nobody measured. */
  readonly targets: Float64Array;
  /** Index of the first horizon by which CDR global of 1 or more was seen; HORIZONS_MONTHS.length when never. */
  readonly event: number;
  /** Horizons that the person was followed to: later ones say nothing about the event. */
  readonly followed: number;
}

const VISIT_YEARS = [0, 0.5, 1, 1.5, 2, 3, 4];
const HORIZON_YEARS = 5;
/** Dropout a year by stage at entry; not at random: it doubles over the course of the disease. */
const DROPOUT = { normal: 0.07, impaired: 0.1, dementia: 0.2 } as const;

interface Habits {
  readonly chance: Readonly<Record<Score, number>>;
  readonly mri: number;
  readonly fdg: number;
  readonly amyloid: number;
  readonly demographics: readonly [age: boolean, sex: boolean, education: boolean, apoe4: boolean];
}

/** Which instruments and scanners a clinic has at all: modalities are missing as blocks, not one by one. */
function drawHabits(random: Random): Habits {
  const cdr = random.chance(0.8) ? 0.95 : 0;
  const onlyImaging = random.chance(0.01);
  return {
    chance: {
      mmse: onlyImaging ? 0 : random.chance(0.92) ? 0.97 : 0,
      cdr_global: onlyImaging ? 0 : cdr,
      cdr_sob: onlyImaging ? 0 : random.chance(0.85) ? cdr : 0,
      adas_cog: onlyImaging ? 0 : random.chance(0.65) ? 0.9 : 0,
    },
    mri: random.chance(0.8) ? 0.7 : 0,
    fdg: random.chance(0.3) ? 0.5 : 0,
    amyloid: random.chance(0.35) ? 0.5 : 0,
    demographics: [random.chance(0.97), random.chance(0.97), random.chance(0.7), random.chance(0.45)],
  };
}

function lastVisit(person: Person, random: Random): number {
  let visits = 1;
  for (let k = 1; k < VISIT_YEARS.length; k++) {
    const gap = (VISIT_YEARS[k] ?? 0) - (VISIT_YEARS[k - 1] ?? 0);
    const hazard = DROPOUT[person.stage] * (1 + (VISIT_YEARS[k] ?? 0) / 4);
    if (random.chance(1 - Math.exp(-hazard * gap))) break;
    visits++;
  }
  // The index is any visit the person came to; a first visit is the commonest case in a clinic.
  return random.chance(0.35) ? 0 : random.below(visits);
}

/** One person at one index date: patients, never visits, are what a split divides. */
export function simulateExample(random: Random): Example {
  const person = simulatePerson(random);
  const course = simulateCourse(person, 4 + HORIZON_YEARS + 0.5, random);
  const anatomy = drawAnatomy(person, random);
  const habits = drawHabits(random);
  const indexVisit = lastVisit(person, random);
  const index = VISIT_YEARS[indexVisit] ?? 0;
  const scores: ScoreAt[] = [];
  const mri: ImagingAt[] = [];
  const fdg: ImagingAt[] = [];
  const amyloid: ImagingAt[] = [];
  for (let k = 0; k <= indexVisit; k++) {
    const time = VISIT_YEARS[k] ?? 0;
    const years = time - index;
    const measured = measureScores(course, time, random);
    for (const score of SCORES) {
      if (random.chance(habits.chance[score])) scores.push({ score, years, value: measured[score] });
    }
    if (random.chance(habits.mri)) mri.push({ years, groups: measureMri(person, course, anatomy, time, random) });
    if (random.chance(habits.fdg)) fdg.push({ years, groups: measureFdg(course, anatomy, time, random) });
    if (random.chance(habits.amyloid)) {
      amyloid.push({ years, groups: measureAmyloid(person, anatomy, time, random) });
    }
  }
  const [age, sex, education, apoe4] = habits.demographics;
  const history: History = {
    ageYears: age ? person.ageAtEntry + index : null,
    sex: sex ? (person.female ? 'female' : 'male') : null,
    educationYears: education ? person.educationYears : null,
    apoe4: apoe4 ? person.apoe4 : null,
    scores,
    mri,
    fdg,
    amyloid,
  };
  const targets = new Float64Array(HORIZONS_MONTHS.length * SCORES.length);
  // Whoever was seen at CDR 1 before has had the event: it is certain by the first horizon.
  let event = scores.some((each) => each.score === 'cdr_global' && each.value >= 1) ? 0 : HORIZONS_MONTHS.length;
  HORIZONS_MONTHS.forEach((months, h) => {
    const measured = measureScores(course, index + months / 12, random);
    SCORES.forEach((score, s) => {
      targets[h * SCORES.length + s] = measured[score];
    });
    if (measured.cdr_global >= 1) event = Math.min(event, h);
  });
  return { history, targets, event, followed: HORIZONS_MONTHS.length };
}

export const simulateCohort = (people: number, random: Random): Example[] =>
  Array.from({ length: people }, () => simulateExample(random));
