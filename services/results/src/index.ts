/**
 * The results service: projections, write-back to FHIR, the runs API.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { type Bus, idempotently, type SubscribeOptions, type Subscription } from '@engram/bus';
import type { App } from '@engram/http';
import type { Records } from '@engram/records';
import { gauge, traceparent } from '@engram/telemetry';
import { type AppDeps, buildApp } from './app.ts';
import { CONSUMED, type ConsumeDeps, consume } from './consume.ts';
import { openStore } from './store.ts';

type Given = Omit<ConsumeDeps, 'store' | 'now'> & Omit<AppDeps, 'store' | 'now' | 'traceparent' | 'newRequestId'>;

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
/** Walking the whole store is not free, and a storage figure a minute old is still one. */
const STORAGE_MS = 60_000;

/** What the service does with events: the whole of it below its HTTP interface. */
export function resultsSubscription(
  deps: Omit<ConsumeDeps, 'store' | 'now'> & Pick<ResultsDeps, 'records' | 'now' | 'retryDelaysMs'>,
): SubscribeOptions {
  const { records, now = () => new Date(), retryDelaysMs } = deps;
  const store = openStore(records);
  const handler = idempotently(
    { records, collection: 'results.inbox', group: GROUP, now: () => now().getTime() },
    async ({ event }) => consume({ ...deps, store, now }, event),
  );
  return { group: GROUP, types: CONSUMED, handler, ...(retryDelaysMs ? { retryDelaysMs } : {}) };
}

export async function createResults(deps: ResultsDeps): Promise<Results> {
  const now = deps.now ?? (() => new Date());
  const store = openStore(deps.records);
  const app = await buildApp({ ...deps, store, now, traceparent, newRequestId: randomUUID });
  let subscription: Subscription | undefined;
  let timer: NodeJS.Timeout | undefined;
  const reportStorage = async (): Promise<void> => {
    try {
      gauge('engram.objects.stored', (await deps.objects.usage('')).bytes);
    } catch (err) {
      deps.logger.warn('the storage figure could not be read', { err });
    }
  };
  return {
    app,
    async start() {
      subscription = await deps.bus.subscribe(resultsSubscription(deps));
      timer = setInterval(() => void reportStorage(), STORAGE_MS);
      timer.unref();
      await reportStorage();
    },
    async stop() {
      clearInterval(timer);
      await subscription?.close();
      subscription = undefined;
    },
  };
}
