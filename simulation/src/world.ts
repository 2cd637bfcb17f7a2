/**
 * Virtual time and what happens in it. Steps are taken one at a time in order of their instant, on a tie in the order they
 * were planned in; between two steps every promise that can go on does. No real clock, so one seed is one history.
 */
import { createHash } from 'node:crypto';
import { setImmediate as settled } from 'node:timers/promises';
import { type Chance, chanceOf } from './chance.ts';

interface Step {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;
}

/** The simulated services' first instant; any would do. */
export const START = Date.parse('2026-03-02T08:00:00.000Z');

export class World {
  readonly chance: Chance;
  /** What happened, one line each. */
  readonly trace: string[] = [];
  /** Epoch ms of the true clock. */
  now = START;
  steps = 0;
  readonly #heap: Step[] = [];
  readonly #ends: (() => void)[] = [];
  #planned = 0;

  constructor(seed: number) {
    this.chance = chanceOf(seed);
  }

  /** Plans a step so many milliseconds from now. */
  later(ms: number, work: () => void): void {
    const heap = this.#heap;
    heap.push({ at: this.now + ms, order: this.#planned++, work });
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!isBefore(heap[at] as Step, heap[above] as Step)) break;
      swap(heap, at, above);
      at = above;
    }
  }

  /** Lets go of what would outlive the schedule. */
  onEnd(work: () => void): void {
    this.#ends.push(work);
  }

  end(): void {
    for (const work of this.#ends) work();
  }

  say(line: string): void {
    this.trace.push(`${this.now - START} ${line}`);
  }

  /**
   * Goes on until `isOver`, or until nothing is planned.
   * @returns false when the bounds were reached before.
   */
  async run(isOver: () => boolean, bounds: { readonly until: number; readonly steps: number }): Promise<boolean> {
    const last = this.steps + bounds.steps;
    await settled();
    while (!isOver()) {
      const step = this.#take();
      if (!step) return true;
      if (step.at > bounds.until || this.steps >= last) return false;
      this.now = step.at;
      this.steps++;
      step.work();
      await settled();
    }
    return true;
  }

  /** Equal histories have equal hashes. */
  hash(): string {
    return createHash('sha256').update(this.trace.join('\n')).digest('hex').slice(0, 16);
  }

  #take(): Step | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const end = heap.pop();
    if (!first || !end || heap.length === 0) return first;
    heap[0] = end;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && isBefore(heap[left] as Step, heap[least] as Step)) least = left;
      if (right < heap.length && isBefore(heap[right] as Step, heap[least] as Step)) least = right;
      if (least === at) return first;
      swap(heap, at, least);
      at = least;
    }
  }
}

const isBefore = (a: Step, b: Step): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function swap(heap: Step[], a: number, b: number): void {
  const held = heap[a] as Step;
  heap[a] = heap[b] as Step;
  heap[b] = held;
}
