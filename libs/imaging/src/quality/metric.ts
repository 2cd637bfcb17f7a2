/** A measured figure, what it was compared to, and the verdict: the shape of one entry of `quality_metrics.json`. */
export type Verdict = 'pass' | 'review' | 'fail';

export interface QualityMetric {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  readonly formula: string;
  readonly pass: string;
  readonly review: string;
  readonly verdict: Verdict;
}

/** Closed at both ends; infinite ends are left out of the words. */
export type Band = readonly [low: number, high: number];

export interface Thresholds {
  readonly name: string;
  readonly unit: string;
  readonly formula: string;
  readonly pass: Band;
  readonly review: Band;
}

const within = (value: number, [low, high]: Band): boolean => value >= low && value <= high;

const words = ([low, high]: Band, unit: string): string => {
  const tail = unit === '' ? '' : ` ${unit}`;
  if (low === -Infinity) return `at most ${high}${tail}`;
  if (high === Infinity) return `at least ${low}${tail}`;
  return `${low} to ${high}${tail}`;
};

/** Judges a value; one that is not finite fails. */
export function judge(value: number, { name, unit, formula, pass, review }: Thresholds): QualityMetric {
  const verdict = within(value, pass) ? 'pass' : within(value, review) ? 'review' : 'fail';
  return {
    name,
    value: Number.isFinite(value) ? rounded(value) : null,
    unit,
    formula,
    pass: words(pass, unit),
    review: words(review, unit),
    verdict,
  };
}

/** Six significant digits: what a figure is worth, and stable across harmless changes of rounding. */
export const rounded = (value: number): number => Number(value.toPrecision(6));

const ORDER: readonly Verdict[] = ['pass', 'review', 'fail'];

export const worst = (verdicts: readonly Verdict[]): Verdict =>
  ORDER[Math.max(0, ...verdicts.map((verdict) => ORDER.indexOf(verdict)))];

/** One plain sentence a metric that did not pass. */
export const reasonsOf = (metrics: readonly QualityMetric[]): readonly string[] =>
  metrics
    .filter(({ verdict }) => verdict !== 'pass')
    .map(
      ({ name, value, unit, pass, verdict }) =>
        `${verdict}: ${name} is ${value ?? 'not a number'}${unit === '' || value === null ? '' : ` ${unit}`}, expected ${pass}`,
    );
