/** Chooses the adapter by the URL's scheme. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngramError } from '@engram/errors';
import { openFolderObjects } from './folder/objects.ts';
import type { Objects } from './port.ts';

export interface OpenObjectsOptions {
  /** Where `objectsPlugin` is mounted; needed for `presign` of the folder adapter only. */
  readonly publicUrl?: string | undefined;
  /** The site secret that signs those URLs. */
  readonly secret?: string | undefined;
}

/** Scheme to adapter, all held to one conformance suite. The AWS client is loaded where it is used only. */
const adapters: Readonly<Record<string, (url: string, options: OpenObjectsOptions) => Promise<Objects>>> = {
  'file:': (url, options) => openFolderObjects({ root: folderOf(url), ...options }),
  's3:': async (url) => (await import('./s3/objects.ts')).openS3Objects(url),
};

/** `file:///absolute/folder`, or `file:relative/folder` below the working directory. */
const folderOf = (url: string): string =>
  url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice('file:'.length));

/**
 * @example
 * const here = await openObjects('file:///var/lib/engram/objects');
 * const shared = await openObjects('s3://engram/site-a?endpoint=https://s3.example.org&region=eu-central-1');
 * @throws CONFIG_INVALID when no adapter has the URL's scheme or the URL will not do; UPSTREAM_FAILED when the store cannot
 * be reached.
 */
export async function openObjects(url: string, options: OpenObjectsOptions = {}): Promise<Objects> {
  const scheme = /^[a-z][a-z0-9+.-]*:/.exec(url)?.[0] ?? '';
  const open = adapters[scheme];
  if (!open) {
    throw new EngramError('CONFIG_INVALID', `no object store speaks ${scheme || 'a URL without scheme'}`, {
      field: 'ENGRAM_OBJECTS_URL',
    });
  }
  return open(url, options);
}
