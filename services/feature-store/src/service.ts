/** The feature store as a function of its dependencies: composed with the others in one process, or run by itself. */
import { type Bus, idempotently, type Subscription } from '@engram/bus';
import type { App } from '@engram/http';
import type { Objects } from '@engram/objects';
import type { Records } from '@engram/records';
import { buildApp } from './app.ts';
import { CONSUMED, consume } from './consume.ts';
import type { StorageMode } from './decide.ts';
import { openFeatureStore } from './store.ts';

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

export async function createFeatureStore(deps: FeatureStoreDeps): Promise<Service> {
  const { records, bus, objects, storageMode = 'all', now = () => new Date() } = deps;
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
  const handler = idempotently(
    { records, collection: 'feature-store.inbox', group: GROUP, now: () => now().getTime() },
    async ({ event }) => consume({ store, objects, storageMode, now }, event),
  );
  let subscription: Subscription | undefined;
  return {
    app,
    async start() {
      subscription = await bus.subscribe({
        group: GROUP,
        types: CONSUMED,
        handler,
        ...(deps.retryDelaysMs ? { retryDelaysMs: deps.retryDelaysMs } : {}),
      });
    },
    async stop() {
      await subscription?.close();
      subscription = undefined;
    },
  };
}
