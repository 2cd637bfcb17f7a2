/** Figures for the pages: quality distribution and storage in use. */
import { qualityDistribution, storageUsage } from '@engram/contracts';
import type { App } from '@engram/http';
import type { Objects } from '@engram/objects';
import type { StorageMode } from '../decide.ts';
import { qualityTally } from '../quality.ts';
import type { FeatureStore } from '../store.ts';

export interface FigureRouteDeps {
  readonly store: FeatureStore;
  readonly objects: Objects;
  readonly storageMode: StorageMode;
}

export function addFigureRoutes(app: App, { store, objects, storageMode }: FigureRouteDeps): void {
  app.get(
    '/api/v1/quality',
    { schema: { summary: 'Quality of the features in use', response: { 200: qualityDistribution } } },
    async () => {
      const tally = qualityTally();
      await store.forEach(tally.add);
      return tally.result();
    },
  );

  app.get('/api/v1/storage', { schema: { summary: 'Storage in use', response: { 200: storageUsage } } }, async () => ({
    mode: storageMode,
    preprocessed: await objects.usage('preprocessed/'),
    raw: await objects.usage('raw/'),
  }));
}
