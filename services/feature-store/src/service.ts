/** The feature store as a function of its dependencies: composed with the others in one process, or run by itself. */

import { type Bus, idempotently, type SubscribeOptions, type Subscription } from '@engram/bus';
import type { FeatureSetView, PatientKey } from '@engram/contracts';
import type { App } from '@engram/http';
import type { Objects } from '@engram/objects';
import type { Records } from '@engram/records';
import { buildApp } from './app.ts';
import { CONSUMED, consume } from './consume.ts';
import type { StorageMode } from './decide.ts';
import { openFeatureStore } from './store.ts';
import { viewOf } from './view-of.ts';

export interface FeatureStoreDeps {
  readonly records: Records;
  readonly bus: Bus;
  readonly objects: Objects;
  /** Default `all`. */
  readonly storageMode?: StorageMode;
  /** Signs presigned URLs of an object store that does not answer them itself; without it they are answered nowhere. */
  readonly objectUrlSecret?: string | undefined;
  readonly now?: () => Date;
  readonly token?: string | undefined;
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  readonly version?: string;
  readonly retryDelaysMs?: readonly number[];
}

export interface Service {
  readonly app: App;
  /** Begins to consume events. */
  start(): Promise<void>;
  /** Waits for the handlers under way. The application and the ports stay open: they belong to the caller. */
  stop(): Promise<void>;
}

export const GROUP = 'engram.feature-store';

/** What the service does with events: the whole of it below its HTTP interface. */
export function featureStoreSubscription(
  deps: Pick<FeatureStoreDeps, 'records' | 'objects' | 'storageMode' | 'now' | 'retryDelaysMs'>,
): SubscribeOptions {
  const { records, objects, storageMode = 'all', now = () => new Date(), retryDelaysMs } = deps;
  const store = openFeatureStore(records);
  const handler = idempotently(
    { records, collection: 'feature-store.inbox', group: GROUP, now: () => now().getTime() },
    async ({ event }) => consume({ store, objects, storageMode, now }, event),
  );
  return { group: GROUP, types: CONSUMED, handler, ...(retryDelaysMs ? { retryDelaysMs } : {}) };
}

/** What `GET /api/v1/feature-sets?patient_key=…` answers with. */
export async function featureSetsOf(records: Records, patientKey: PatientKey): Promise<readonly FeatureSetView[]> {
  return (await openFeatureStore(records).ofPatient(patientKey)).map(viewOf);
}

export async function createFeatureStore(deps: FeatureStoreDeps): Promise<Service> {
  const { records, bus, objects, storageMode = 'all' } = deps;
  const store = openFeatureStore(records);
  const app = await buildApp({
    store,
    objects,
    storageMode,
    objectUrlSecret: deps.objectUrlSecret,
    token: deps.token,
    tls: deps.tls,
    version: deps.version ?? '0.1.0',
  });
  let subscription: Subscription | undefined;
  return {
    app,
    async start() {
      subscription = await bus.subscribe(featureStoreSubscription(deps));
    },
    async stop() {
      await subscription?.close();
      subscription = undefined;
    },
  };
}
