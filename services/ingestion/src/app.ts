/** The HTTP interface of ingestion; no port, no process. */
import { type App, createApp } from '@engram/http';
import type { Logger } from '@engram/telemetry';
import { addNotificationRoutes, type NotificationDeps } from './routes/notifications.ts';
import { addSessionRoutes } from './routes/sessions.ts';
import type { IngestionStore } from './store.ts';

export interface AppDeps extends NotificationDeps {
  readonly store: IngestionStore;
  readonly version: string;
  readonly token?: string | undefined;
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  readonly logger: Logger;
}

export async function buildApp(deps: AppDeps): Promise<App> {
  const { store, version, token, tls, logger } = deps;
  const ready = { records: async () => void (await store.studies.count()) };
  const app = await createApp({ service: 'ingestion', version, token, tls, logger, ready });
  await addNotificationRoutes(app, deps);
  addSessionRoutes(app, store);
  return app;
}
