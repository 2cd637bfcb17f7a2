/**
 * Events in: parse, decide, apply. A partition must not wait minutes for one scan, so a request is recorded and the
 * event is done; workers do the rest. Each path may be walked twice: run and command ids make a repeat a no-op.
 */
import { type EngramEvent, events, rawPrefix } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Objects } from '@engram/objects';
import type { z } from 'zod';
import { decideCommanded, decideRequested, decideRetracted } from './decide.ts';
import type { RunStore } from './store.ts';

export interface ConsumeDeps {
  readonly store: RunStore;
  readonly objects: Objects;
  readonly now: () => Date;
  /** Tells the workers that there may be something to do, or to stop doing. */
  readonly wake: () => void;
}

export const CONSUMED = [events.runRequested.type, events.runCommanded.type, events.studyRetracted.type] as const;

function dataOf<S extends z.ZodType>(schema: S, event: EngramEvent): z.infer<S> {
  const parsed = schema.safeParse(event.data);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new EngramError('EVENT_INVALID', `${event.type} does not fit its schema at ${field}`, { field });
}

/** @throws EVENT_INVALID; RUN_UNKNOWN when a command comes before its run: tried again until the run is there. */
export async function consume(deps: ConsumeDeps, event: EngramEvent): Promise<void> {
  switch (event.type) {
    case events.runRequested.type:
      await onRequested(deps, event);
      break;
    case events.runCommanded.type:
      await onCommanded(deps, event);
      break;
    case events.studyRetracted.type:
      await onRetracted(deps, event);
      break;
    default:
      return;
  }
  deps.wake();
}

async function onRequested({ store, now }: ConsumeDeps, event: EngramEvent): Promise<void> {
  const data = dataOf(events.runRequested.data, event);
  await store.change(data.run_id, (current) => decideRequested(current, { ...event, data }, now()));
  // Read once the run is there: a withdrawal that is kept later finds the run, one that was kept before is found here.
  for (const retraction of await store.retractionsOf(data.inputs.map((input) => input.study_id))) {
    await store.change(data.run_id, (current) => current && decideRetracted(current, retraction, now()));
  }
}

async function onCommanded({ store, now }: ConsumeDeps, event: EngramEvent): Promise<void> {
  const data = dataOf(events.runCommanded.data, event);
  if (!(await store.read(data.run_id))) {
    throw new EngramError('RUN_UNKNOWN', 'the run that is commanded has not been requested yet', { field: 'run_id' });
  }
  await store.change(data.run_id, (current) => current && decideCommanded(current, data, now()));
}

async function onRetracted({ store, objects, now }: ConsumeDeps, event: EngramEvent): Promise<void> {
  const { patient_key, study_id, study_uid, why, withdrawals } = dataOf(events.studyRetracted.data, event);
  const retraction = { study_id, why, withdrawals, at: event.time };
  // Kept before the runs are looked for: one that is recorded meanwhile finds it.
  await store.keepRetraction(retraction);
  for (const run of await store.openOfPatient(patient_key)) {
    await store.change(run.run_id, (current) => current && decideRetracted(current, retraction, now()));
  }
  await removeBelow(objects, rawPrefix(patient_key, study_uid));
}

async function removeBelow(objects: Objects, prefix: string): Promise<void> {
  for (;;) {
    const { objects: page } = await objects.list(prefix, { limit: 500 });
    if (page.length === 0) return;
    for (const { key } of page) await objects.remove(key);
  }
}
