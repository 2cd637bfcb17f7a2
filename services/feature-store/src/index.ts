/**
 * The feature store: one versioned feature set a session.
 *
 * @example
 * const featureStore = await createFeatureStore({ records, bus, objects });
 * await featureStore.start();
 * @module
 */

export type { StorageMode } from './decide.ts';
export {
  createFeatureStore,
  type FeatureStoreDeps,
  featureSetsOf,
  featureStoreSubscription,
  GROUP,
  type Service,
} from './service.ts';
