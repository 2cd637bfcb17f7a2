/** The HTTP interface of the feature store; no port, no process. */
import { type App, createApp } from '@engram/http';
import { type Objects, objectsPlugin } from '@engram/objects';
import { OBJECTS_PATH } from '@engram/service';
import type { StorageMode } from './decide.ts';
import { addFeatureSetRoutes } from './routes/feature-sets.ts';
import { addFigureRoutes } from './routes/figures.ts';
import { addFileRoutes } from './routes/files.ts';
import type { FeatureStore } from './store.ts';

export interface BuildAppDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly storageMode: StorageMode;
  /** Signs presigned URLs of an object store that does not answer them itself. */
  readonly objectUrlSecret?: string | undefined;
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
  addFileRoutes(app, deps);
  addFigureRoutes(app, deps);
  if (deps.objectUrlSecret !== undefined) {
    await app.register(objectsPlugin, {
      prefix: OBJECTS_PATH,
      objects: deps.objects,
      secret: deps.objectUrlSecret,
      config: { open: true },
    });
  }
  return app;
}
