/** Rules that a store applies by itself, for as long as the bucket stands: what expires, what grows cold. */
import type { TransitionStorageClass } from '@aws-sdk/client-s3';
import { EngramError } from '@engram/errors';

export interface LifecycleRule {
  /** Keys below; ends in `/`. Objects outside every rule stay. */
  readonly prefix: string;
  /** Days after which an object is dropped. */
  readonly expireAfterDays?: number;
  /** Days after which an object moves to a cheaper class, one that still answers at once, such as GLACIER_IR. */
  readonly colder?: { readonly afterDays: number; readonly storageClass: TransitionStorageClass };
}

/**
 * Makes these the rules of the store below its URL's prefix; rules of others in the same bucket stay. Second time does no
 * harm. Needs `s3:GetLifecycleConfiguration` and `s3:PutLifecycleConfiguration`.
 *
 * @returns the rules as the store holds them.
 * @throws CONFIG_INVALID for a store without such rules, wrong access or a rule it does not know; UPSTREAM_FAILED when it does not keep them.
 * @example await ensureLifecycle('s3://engram', [{ prefix: 'tasks/', expireAfterDays: 30 }]);
 */
export async function ensureLifecycle(url: string, rules: readonly LifecycleRule[]): Promise<readonly LifecycleRule[]> {
  if (url.startsWith('s3:')) return (await import('./s3/lifecycle.ts')).ensureS3Lifecycle(url, rules);
  throw new EngramError('CONFIG_INVALID', 'only an s3:// store has lifecycle rules', { field: 'ENGRAM_OBJECTS_URL' });
}
