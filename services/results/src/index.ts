/**
 * The results service: projections, write-back to FHIR, the runs API.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { type Bus, type Handler, idempotently, type SubscribeOptions, type Subscription } from '@engram/bus';
import type { App } from '@engram/http';
import type { Records } from '@engram/records';
import { traceparent } from '@engram/telemetry';
import { type AppDeps, buildApp } from './app.ts';
import { CONSUMED, type ConsumeDeps, consume, isOfTask } from './consume.ts';
import { openStorage } from './storage.ts';
import { openStore } from './store.ts';

type Given = Omit<ConsumeDeps, 'store' | 'now'> &
  Omit<AppDeps, 'store' | 'storage' | 'now' | 'traceparent' | 'newRequestId'>;

export interface ResultsDeps extends Given {
  readonly bus: Bus;
  readonly records: Records;
  readonly now?: () => Date;
  readonly retryDelaysMs?: readonly number[];
}

export interface Results {
  readonly app: App;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const GROUP = 'engram.results';
/** Patients whose events are handled at once: nearly all of the time of one is waiting for the FHIR server. */
const AT_ONCE = 8;

/** What the service does with events: the whole of it below its HTTP interface. */
export function resultsSubscription(
  deps: Omit<ConsumeDeps, 'store' | 'now'> & Pick<ResultsDeps, 'records' | 'now' | 'retryDelaysMs'>,
): SubscribeOptions {
  const { records, now = () => new Date(), retryDelaysMs } = deps;
  const store = openStore(records);
  const handle: Handler = async ({ event }) => consume({ ...deps, store, now }, event);
  const inbox = { records, collection: 'results.inbox', group: GROUP, now: () => now().getTime() };
  const remembered = idempotently(inbox, handle);
  return {
    group: GROUP,
    types: CONSUMED,
    handler: (delivery) => (isOfTask(delivery.event) ? handle(delivery) : remembered(delivery)),
    concurrency: AT_ONCE,
    ...(retryDelaysMs ? { retryDelaysMs } : {}),
  };
}

export async function createResults(deps: ResultsDeps): Promise<Results> {
  const now = deps.now ?? (() => new Date());
  const store = openStore(deps.records);
  const storage = openStorage(deps.objects, deps.logger);
  const app = await buildApp({ ...deps, store, storage, now, traceparent, newRequestId: randomUUID });
  let subscription: Subscription | undefined;
  const stopping = new AbortController();
  return {
    app,
    async start() {
      subscription = await deps.bus.subscribe(resultsSubscription(deps));
      storage.watch(stopping.signal);
    },
    async stop() {
      stopping.abort();
      await subscription?.close();
      subscription = undefined;
    },
  };
}
