/** The service's HTTP application: probes, metrics and a look at the runs. No port, no environment. */
import { type App, type AppOptions, createApp } from '@engram/http';
import type { Objects } from '@engram/objects';
import { runRoutes } from './routes/runs.ts';
import type { RunStore } from './store.ts';

export interface BuildAppDeps extends Pick<AppOptions, 'token' | 'tls' | 'logger'> {
  readonly store: RunStore;
  readonly objects: Objects;
  readonly ready: AppOptions['ready'];
  readonly version: string;
}

export async function buildApp({ store, objects, ready, ...options }: BuildAppDeps): Promise<App> {
  const app = await createApp({
    service: 'preprocessing',
    ...options,
    ready: {
      records: async () => void (await store.read('readyz')),
      objects: async () => void (await objects.head('ready')),
      ...ready,
    },
  });
  runRoutes(app, store);
  return app;
}
