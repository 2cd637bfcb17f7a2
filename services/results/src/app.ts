/** The HTTP application of results, assembled from its dependencies. */
import { type App, createApp } from '@engram/http';
import type { Objects } from '@engram/objects';
import type { Logger } from '@engram/telemetry';
import { type HistoryDeps, historyRoutes } from './routes/history.ts';
import { operationsRoutes } from './routes/operations.ts';
import { type RunsDeps, runsRoutes } from './routes/runs.ts';
import type { Storage } from './storage.ts';

export interface AppDeps extends RunsDeps, HistoryDeps {
  readonly objects: Objects;
  readonly storage: Storage;
  readonly version: string;
  readonly token?: string | undefined;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly logger: Logger;
}

export async function buildApp(deps: AppDeps): Promise<App> {
  const app = await createApp({
    service: 'results',
    version: deps.version,
    token: deps.token,
    tls: deps.tls,
    logger: deps.logger,
    ready: {
      records: async () => void (await deps.store.runs.get('readyz')),
      objects: async () => void (await deps.objects.head('readyz')),
    },
  });
  runsRoutes(app, deps);
  historyRoutes(app, deps);
  operationsRoutes(app, deps);
  return app;
}
