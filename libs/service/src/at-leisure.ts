/** Work that looks at all there is, such as a walk over the object store: the more there is, the less often. */
import { setTimeout as sleep } from 'node:timers/promises';

/** So it never takes more than a twentieth of the time. */
const PAUSES_PER_WORK = 20;

/**
 * Does it at once and then again and again, `everyMs` after its last end or later, until the signal. Keeps no process alive.
 * @param work handles its own failures.
 */
export async function atLeisure(work: () => Promise<void>, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const started = performance.now();
    await work();
    const pause = Math.max(everyMs, PAUSES_PER_WORK * (performance.now() - started));
    await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
