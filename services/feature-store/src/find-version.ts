/** A feature set or one of its versions, or a refusal. */
import { EngramError } from '@engram/errors';
import { z } from 'zod';
import { type FeatureSet, type FeatureSetVersion, isStanding } from './feature-set.ts';
import type { FeatureStore } from './store.ts';

export const versionParams = z.object({ id: z.string(), version: z.coerce.number().int().min(1) });

/** @throws FEATURE_SET_NOT_FOUND. */
export async function findSet(store: FeatureStore, id: string): Promise<FeatureSet> {
  const set = await store.read(id);
  if (!set) throw new EngramError('FEATURE_SET_NOT_FOUND', 'there is no feature set with this id', { field: 'id' });
  return set;
}

/** @throws FEATURE_SET_NOT_FOUND, also when the version was withdrawn. */
export async function findVersion(
  store: FeatureStore,
  id: string,
  number: number,
): Promise<[FeatureSet, FeatureSetVersion]> {
  const set = await findSet(store, id);
  const version = set.versions.find((each) => each.version === number);
  if (!version) {
    throw new EngramError('FEATURE_SET_NOT_FOUND', `the feature set has no version ${number}`, { field: 'version' });
  }
  if (!isStanding(set, version)) {
    throw new EngramError('FEATURE_SET_NOT_FOUND', `version ${number} was withdrawn`, { field: 'version' });
  }
  return [set, version];
}
