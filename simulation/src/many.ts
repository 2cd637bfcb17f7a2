/** Many schedules, shared out over threads. Each is one history whichever thread it ran in: a seed replays by itself. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Outcome } from './simulate.ts';

export type Done = Omit<Outcome, 'trace'>;

export interface Share {
  readonly from: number;
  /** Exclusive. */
  readonly end: number;
  readonly step: number;
}

export interface ManyOptions {
  readonly from: number;
  readonly count: number;
  /** Failures after which no more schedules are begun. */
  readonly most: number;
  readonly onDone: (done: Done) => void;
}

/** Of one thread: what a schedule leaves behind is rubbish, and must not pile up until the machine is full of it. */
const MEMORY = { maxOldGenerationSizeMb: 512 };

/** Resolves when all are done, or as many as `most` have failed. Rejects when a thread could not go on. */
export async function simulateMany({ from, count, most, onDone }: ManyOptions): Promise<void> {
  const threads = Math.min(count, availableParallelism());
  let failed = 0;
  const workers = Array.from({ length: threads }, (_, k) => {
    const workerData: Share = { from: from + k, end: from + count, step: threads };
    return new Worker(new URL('./many.worker.ts', import.meta.url), { workerData, resourceLimits: MEMORY });
  });
  const ends = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.on('message', (done: Done) => {
          if (failed >= most) return;
          onDone(done);
          if (done.failures.length > 0 && ++failed >= most) for (const one of workers) void one.terminate();
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      }),
  );
  await Promise.all(ends);
}
