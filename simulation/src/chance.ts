/** Everything left to chance in a schedule, drawn from its seed alone. */
import { random } from '@engram/testing';

export interface Chance {
  /** In [0, 1). */
  uniform(): number;
  happens(probability: number): boolean;
  /** A whole number from `from` to `to`, both inclusive. */
  between(from: number, to: number): number;
  pick<T>(choices: readonly T[]): T;
}

export function chanceOf(seed: number): Chance {
  const { uniform } = random(seed);
  const between = (from: number, to: number): number => from + Math.floor(uniform() * (to - from + 1));
  return {
    uniform,
    happens: (probability) => probability > 0 && uniform() < probability,
    between,
    pick: (choices) => {
      const at = between(0, choices.length - 1);
      return choices[at] as (typeof choices)[number];
    },
  };
}
