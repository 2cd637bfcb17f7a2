/** The HTTP interface of the feature store; no port, no process. */
import { type App, createApp } from '@engram/http';
import type { Objects } from '@engram/objects';
import type { StorageMode } from './decide.ts';
import { addFeatureSetRoutes } from './routes/feature-sets.ts';
import { addFigureRoutes } from './routes/figures.ts';
import type { FeatureStore } from './store.ts';

export interface BuildAppDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly storageMode: StorageMode;
  readonly token?: string | undefined;
  readonly version: string;
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
}

export async function buildApp(deps: BuildAppDeps): Promise<App> {
  const app = await createApp({
    service: 'feature-store',
    version: deps.version,
    token: deps.token,
    tls: deps.tls,
    ready: {
      records: async () => void (await deps.store.page({ limit: 1 })),
      objects: async () => void (await deps.objects.list('preprocessed/', { limit: 1 })),
    },
  });
  addFeatureSetRoutes(app, deps);
  addFigureRoutes(app, deps);
  return app;
}
