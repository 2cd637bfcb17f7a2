/** All that preprocessing does, below its HTTP interface: events in, workers on the runs. */
import type { SubscribeOptions } from '@engram/bus';
import type { Objects } from '@engram/objects';
import type { Records } from '@engram/records';
import { CONSUMED, consume } from './consume.ts';
import { objectTaskStore } from './object-task-store.ts';
import { openRunStore } from './store.ts';
import { startWorkers, type WorkDeps, type Workers } from './work.ts';

export const GROUP = 'engram.preprocessing';

export interface ProcessingDeps extends Omit<WorkDeps, 'store' | 'tasks'> {
  readonly records: Records;
  readonly objects: Objects;
  readonly workers: number;
}

export interface Processing {
  readonly subscription: SubscribeOptions;
  readonly workers: Workers;
}

/** The workers begin at once. */
export function startProcessing(deps: ProcessingDeps): Processing {
  const { records, objects, now } = deps;
  const store = openRunStore(records);
  const workers = startWorkers({ ...deps, store, tasks: objectTaskStore(objects) }, deps.workers);
  return {
    workers,
    subscription: {
      group: GROUP,
      types: CONSUMED,
      handler: ({ event }) => consume({ store, objects, now, wake: () => workers.wake() }, event),
    },
  };
}
