/** Where presigned URLs of the embedded object store lead: to the feature store, which answers them. */
import { createHmac } from 'node:crypto';
import type { Config } from '@engram/config';

export interface ObjectUrls {
  readonly publicUrl: string;
  readonly secret: string;
}

/** Below this path the feature store mounts `objectsPlugin`. */
export const OBJECTS_PATH = '/objects';

/** @returns undefined when the store answers its own presigned URLs, as S3 does. The secret is for these URLs alone. */
export function objectUrls(config: Pick<Config, 'objects' | 'peers' | 'siteSecret'>): ObjectUrls | undefined {
  if (!config.objects.startsWith('file:')) return undefined;
  const secret = createHmac('sha256', config.siteSecret).update('engram object urls').digest('hex');
  return { publicUrl: `${config.peers.featureStore}${OBJECTS_PATH}`, secret };
}
