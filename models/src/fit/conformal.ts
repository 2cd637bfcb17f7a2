/**
 * Conformalised quantile regression (Romano 2019), per output and level, within clinical stages (Mondrian groups), on
 * people who took no part in training: one index date a person, so that the scores are exchangeable.
 */
import { STAGE_INPUTS } from '../inputs/input-vector.ts';
import { OUTPUTS, QUANTILES } from './network.ts';

/** Levels of the intervals and the quantiles that bound them. */
export const INTERVALS = [
  { level: 0.5, lower: 2, upper: 4 },
  { level: 0.8, lower: 1, upper: 5 },
  { level: 0.9, lower: 0, upper: 6 },
] as const;

/** A stage with fewer people is calibrated with all of them. */
export const SMALLEST_GROUP = 100;

export interface CalibrationRow {
  /** Index into STAGES. */
  readonly stage: number;
  /** Uncalibrated quantiles in scaled units. */
  readonly quantiles: Float64Array;
  /** Scaled; NaN where nobody measured. */
  readonly targets: Float64Array;
}

/** The ceil((n + 1) level)-th smallest score: how far the interval must be widened (or may be narrowed). */
export function conformalShift(scores: readonly number[], level: number): number {
  const sorted = [...scores].sort((a, b) => a - b);
  const rank = Math.min(sorted.length, Math.ceil((sorted.length + 1) * level));
  return sorted[rank - 1] ?? 0;
}

/** @returns shift of each quantile, `[stage, output * 7 + quantile]`, in scaled units */
export function calibrate(rows: readonly CalibrationRow[]): Float64Array {
  const width = OUTPUTS * QUANTILES.length;
  const shifts = new Float64Array(STAGE_INPUTS * width);
  for (let stage = 0; stage < STAGE_INPUTS; stage++) {
    const own = rows.filter((row) => row.stage === stage);
    const group = own.length < SMALLEST_GROUP ? rows : own;
    for (let o = 0; o < OUTPUTS; o++) {
      const measured = group.filter((row) => !Number.isNaN(row.targets[o] ?? Number.NaN));
      for (const { level, lower, upper } of INTERVALS) {
        const scores = measured.map((row) => {
          const y = row.targets[o] ?? 0;
          const at = o * QUANTILES.length;
          return Math.max((row.quantiles[at + lower] ?? 0) - y, y - (row.quantiles[at + upper] ?? 0));
        });
        const shift = conformalShift(scores, level);
        shifts[stage * width + o * QUANTILES.length + lower] = -shift;
        shifts[stage * width + o * QUANTILES.length + upper] = shift;
      }
    }
  }
  return shifts;
}
