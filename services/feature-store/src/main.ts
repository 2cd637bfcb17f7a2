/** The feature store as a process. */
import { runService, VERSION } from '@engram/service';
import { createFeatureStore } from './index.ts';

await runService('feature-store', async ({ config, bus, objects, records }) =>
  createFeatureStore({
    bus,
    objects,
    records,
    storageMode: config.storage,
    version: VERSION,
    token: config.token ?? undefined,
    tls: config.tls ?? undefined,
  }),
);
