/** What was measured of one person before the index date: all that a forecast may see. Times are years before the index. */
import type { Score } from '@engram/contracts';

export interface ScoreAt {
  readonly score: Score;
  /** Years relative to the index date, at most 0. */
  readonly years: number;
  readonly value: number;
}

/** Group values in the order of MRI_GROUPS, FDG_GROUPS, or the one amyloid composite. */
export interface ImagingAt {
  readonly years: number;
  readonly groups: readonly number[];
}

export interface History {
  readonly ageYears: number | null;
  readonly sex: 'female' | 'male' | null;
  readonly educationYears: number | null;
  /** Number of APOE ε4 alleles, 0 to 2. */
  readonly apoe4: number | null;
  readonly scores: readonly ScoreAt[];
  readonly mri: readonly ImagingAt[];
  readonly fdg: readonly ImagingAt[];
  readonly amyloid: readonly ImagingAt[];
}

/** Published ranges of the instruments; a forecast stays inside. */
export const SCORE_RANGE: Readonly<Record<Score, readonly [low: number, high: number]>> = {
  mmse: [0, 30],
  cdr_global: [0, 3],
  cdr_sob: [0, 18],
  adas_cog: [0, 85],
};

/** Centre and spread that bring the scores to one scale inside the model. */
export const SCORE_SCALE: Readonly<Record<Score, { readonly centre: number; readonly spread: number }>> = {
  mmse: { centre: 26, spread: 4 },
  cdr_global: { centre: 0.5, spread: 0.7 },
  cdr_sob: { centre: 2.5, spread: 3 },
  adas_cog: { centre: 18, spread: 9 },
};
