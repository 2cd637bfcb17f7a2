/** Which faults a schedule meets, and how often: drawn once a schedule, so that many have few kinds and some have all. */
import type { Chance } from './chance.ts';

/** What becomes of one call of a port. */
export type Fate =
  | 'done'
  /** Answered with an error; nothing was stored. */
  | 'refused'
  /** Stored, and answered with an error. */
  | 'answer-lost'
  | 'slow'
  | 'crash-before'
  | 'crash-after';

export interface Faults {
  /** Milliseconds after the start; later nothing fails any more. */
  readonly until: number;
  readonly refused: number;
  readonly answerLost: number;
  readonly slow: number;
  readonly crash: number;
  /** A process that stands still for longer than its leases, then goes on. */
  readonly pause: number;
  readonly redelivered: number;
  readonly clockJump: number;
  readonly fhirOutages: number;
  /** A notification repeated up to fifty times; one that never comes. */
  readonly repeated: number;
  readonly unheard: number;
  /** Processes of each service that consumes events. */
  readonly replicas: number;
}

export function drawFaults(chance: Chance): Faults {
  const some = (values: readonly number[]): number => (chance.happens(0.5) ? chance.pick(values) : 0);
  return {
    until: chance.between(20, 180) * 1000,
    refused: some([0.01, 0.05]),
    answerLost: some([0.01, 0.05]),
    slow: some([0.005, 0.02]),
    crash: some([0.002, 0.01]),
    pause: some([0.001, 0.004]),
    redelivered: some([0.05, 0.3]),
    clockJump: some([0.002, 0.01]),
    fhirOutages: chance.happens(0.3) ? chance.between(1, 2) : 0,
    repeated: some([0.1, 0.3]),
    unheard: some([0.2, 0.6]),
    replicas: chance.pick([1, 1, 2]),
  };
}

/** None: the plain way, only the order of things left to chance. */
export const NO_FAULTS: Faults = {
  until: 0,
  refused: 0,
  answerLost: 0,
  slow: 0,
  crash: 0,
  pause: 0,
  redelivered: 0,
  clockJump: 0,
  fhirOutages: 0,
  repeated: 0,
  unheard: 0,
  replicas: 1,
};

export function fateOf(faults: Faults, chance: Chance): Fate {
  let left = chance.uniform();
  const kinds: readonly (readonly [Fate, number])[] = [
    ['refused', faults.refused],
    ['answer-lost', faults.answerLost],
    ['slow', faults.slow],
    ['crash-before', faults.crash / 2],
    ['crash-after', faults.crash / 2],
  ];
  for (const [fate, probability] of kinds) {
    if (left < probability) return fate;
    left -= probability;
  }
  return 'done';
}
