/** The feature store as a process. */
import { objectUrls, runService, VERSION } from '@engram/service';
import { createFeatureStore } from './index.ts';

await runService('feature-store', async ({ config, bus, objects, records }) =>
  createFeatureStore({
    bus,
    objects,
    records,
    storageMode: config.storage,
    objectUrlSecret: objectUrls(config)?.secret,
    version: VERSION,
    token: config.token ?? undefined,
    tls: config.tls ?? undefined,
  }),
);
