/** What the forecast loses when less is known, and how it does in subgroups: MAE two years ahead on held-out people. */
import { HORIZONS_MONTHS, SCORES, type Score } from '@engram/contracts';
import type { History } from '../inputs/history.ts';
import { inputVector } from '../inputs/input-vector.ts';
import type { Example } from '../simulate/cohort.ts';
import { medianOf, type Network, predict } from './network.ts';

export interface StressFigures {
  readonly name: string;
  readonly n: number;
  /** By score in the order of SCORES; null where nobody was measured. */
  readonly mae: (number | null)[];
}

const MONTHS = 24;
const HORIZON = HORIZONS_MONTHS.indexOf(MONTHS);

const withoutImaging = (history: History): History => ({ ...history, mri: [], fdg: [], amyloid: [] });
const latestVisit = (history: History): History => ({
  ...history,
  scores: history.scores.filter(({ years }) => years === 0),
  mri: history.mri.filter(({ years }) => years === 0),
  fdg: history.fdg.filter(({ years }) => years === 0),
  amyloid: history.amyloid.filter(({ years }) => years === 0),
});
const oneMmse = (history: History): History => ({
  ...withoutImaging(history),
  educationYears: null,
  apoe4: null,
  scores: history.scores.filter(({ score }) => score === 'mmse').slice(-1),
});

const imaged = ({ history }: Example): boolean => history.mri.length + history.fdg.length + history.amyloid.length > 0;
const hasMmse = ({ history }: Example): boolean => history.scores.some(({ score }) => score === 'mmse');

interface Case {
  readonly name: string;
  readonly who: (example: Example) => boolean;
  readonly sees: (history: History) => History;
}
const all = (history: History): History => history;

const CASES: readonly Case[] = [
  { name: 'people with imaging, everything known', who: imaged, sees: all },
  { name: 'the same people, imaging masked', who: imaged, sees: withoutImaging },
  { name: 'the same people, latest visit only', who: imaged, sees: latestVisit },
  { name: 'people with an MMSE, everything known', who: hasMmse, sees: all },
  { name: 'the same people, age, sex and one MMSE only', who: hasMmse, sees: oneMmse },
  { name: 'women', who: ({ history }) => history.sex === 'female', sees: all },
  { name: 'men', who: ({ history }) => history.sex === 'male', sees: all },
  { name: 'under 75 years', who: ({ history }) => history.ageYears !== null && history.ageYears < 75, sees: all },
  { name: '75 years and over', who: ({ history }) => history.ageYears !== null && history.ageYears >= 75, sees: all },
  { name: 'APOE ε4 carriers', who: ({ history }) => (history.apoe4 ?? 0) > 0, sees: all },
  { name: 'APOE ε4 non-carriers', who: ({ history }) => history.apoe4 === 0, sees: all },
];

function meanError(network: Network, examples: readonly Example[], sees: Case['sees'], score: Score): number | null {
  const output = HORIZON * SCORES.length + SCORES.indexOf(score);
  const errors = examples.flatMap((example) => {
    const target = example.targets[output] ?? Number.NaN;
    if (Number.isNaN(target)) return [];
    return Math.abs(medianOf(predict(network, inputVector(sees(example.history))), output) - target);
  });
  if (errors.length === 0) return null;
  return Math.round((errors.reduce((sum, error) => sum + error, 0) / errors.length) * 1000) / 1000;
}

export function stress(network: Network, holdout: readonly Example[]): StressFigures[] {
  return CASES.map(({ name, who, sees }) => {
    const examples = holdout.filter(who);
    return { name, n: examples.length, mae: SCORES.map((score) => meanError(network, examples, sees, score)) };
  });
}
