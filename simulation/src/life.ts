/**
 * One life of one process, from its start to its crash. What it asked of a port and was not answered when it died stays
 * unanswered for ever: its promises never settle, which is how its memory is lost.
 */
import { EngramError } from '@engram/errors';
import { type Faults, fateOf } from './faults.ts';
import type { World } from './world.ts';

/** How a port is called: everything between a service and what keeps its state goes through here. */
export type Invoke = <T>(what: string, work: () => T) => Promise<T>;

const SLOW_MS = 40_000;
const PAUSE_MS = [8_000, 45_000] as const;
const JUMP_MS = 240_000;

export class Life {
  readonly name: string;
  readonly world: World;
  isAlive = true;
  /** Until then it stands still: answers reach it afterwards. */
  pausedUntil = 0;
  readonly #faults: () => Faults;
  readonly #onCrash: () => void;
  readonly #onPause: (life: Life) => void;
  /** Ends of waits under way: a signal that is made of others is kept by Node for as long as somebody listens to it. */
  readonly #waits = new Set<() => void>();
  #skew = 0;

  constructor(
    name: string,
    world: World,
    faults: () => Faults,
    on: { readonly crash: () => void; readonly pause: (life: Life) => void },
  ) {
    this.name = name;
    this.world = world;
    this.#faults = faults;
    this.#onCrash = on.crash;
    this.#onPause = on.pause;
    world.onEnd(() => this.#forget());
  }

  /** Its own clock: wrong while the clock faults last. */
  readonly now = (): Date => new Date(this.world.now + (this.#faults().clockJump > 0 ? this.#skew : 0));

  readonly invoke: Invoke = (what, work) => {
    const { world } = this;
    const { chance } = world;
    const faults = this.#faults();
    const fate = fateOf(faults, chance);
    if (chance.happens(faults.pause)) this.#pause();
    if (chance.happens(faults.clockJump)) this.#jump();
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void): void => {
        if (!this.isAlive) return;
        if (this.pausedUntil <= world.now) settle();
        else world.later(this.pausedUntil - world.now + chance.between(0, 5), () => answer(settle));
      };
      const failed = () =>
        answer(() => reject(new EngramError('UPSTREAM_FAILED', `${what.split(' ')[0]} did not answer`)));
      const arrive = (): void => {
        // What a process sent before it died may still arrive.
        if (!this.isAlive && chance.happens(0.5)) return;
        const said = fate === 'done' ? '' : ` (${fate})`;
        world.say(`${this.name} ${what}${said}${this.isAlive ? '' : ' (after its death)'}`);
        if (fate === 'refused') failed();
        else if (fate === 'crash-before') this.crash();
        else {
          const settle = outcomeOf(work, resolve, reject);
          if (fate === 'crash-after') this.crash();
          else if (fate === 'answer-lost') failed();
          else answer(settle);
        }
      };
      world.later(fate === 'slow' ? chance.between(1_000, SLOW_MS) : chance.between(1, 10), arrive);
    });
  };

  /** Resolves after so long, or as soon as the signal is given. */
  readonly pause = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const forget = (): void => {
        signal?.removeEventListener('abort', end);
        this.#waits.delete(forget);
      };
      const end = (): void => {
        forget();
        resolve();
      };
      this.#waits.add(forget);
      signal?.addEventListener('abort', end);
      this.world.later(ms, () => this.whenAwake(end));
    });

  /** @returns what ends it. */
  readonly every = (ms: number, work: () => void): (() => void) => {
    let isOn = true;
    const turn = (): void => {
      if (!isOn || !this.isAlive) return;
      this.whenAwake(() => {
        if (!isOn) return;
        work();
        this.world.later(ms, turn);
      });
    };
    this.world.later(ms, turn);
    return () => {
      isOn = false;
    };
  };

  /** Now, or once a pause is over. */
  whenAwake(work: () => void): void {
    if (!this.isAlive) return;
    if (this.pausedUntil <= this.world.now) work();
    else this.world.later(this.pausedUntil - this.world.now, () => this.whenAwake(work));
  }

  crash(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#forget();
    this.world.say(`${this.name} crashes`);
    this.#onCrash();
  }

  #forget(): void {
    for (const forget of this.#waits) forget();
  }

  #pause(): void {
    const ms = this.world.chance.between(...PAUSE_MS);
    this.pausedUntil = this.world.now + ms;
    this.world.say(`${this.name} stands still for ${ms} ms`);
    this.#onPause(this);
  }

  #jump(): void {
    this.#skew = this.world.chance.between(-JUMP_MS, JUMP_MS);
    this.world.say(`the clock of ${this.name} is ${this.#skew} ms off`);
  }
}

/** Does the work now; what it gave is told when asked for. */
function outcomeOf<T>(work: () => T, resolve: (value: T) => void, reject: (reason: unknown) => void): () => void {
  try {
    const result = work();
    return () => resolve(result);
  } catch (error) {
    return () => reject(error);
  }
}
