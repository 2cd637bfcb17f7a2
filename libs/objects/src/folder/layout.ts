/**
 * Where the folder adapter puts things below its root:
 *
 *   .blobs/ab/ab12…   the bytes, named by their sha256, read-only; equal bytes are stored once
 *   .meta/<key>~      {sha256, bytes, contentType, modified}: the truth; an object appears when this file is renamed in
 *   <key>             a hard link to the blob, for people and other programs to open
 *   .tmp/             what is being written; swept of files older than a day
 */
import { join } from 'node:path';

/** `~` cannot be part of a key, so that the file of `a` and the folder of `a/b` never have the same name. */
export const META_SUFFIX = '~';

export interface Layout {
  readonly root: string;
  readonly temporary: string;
  readonly secret: string;
  readonly metaRoot: string;
  blob(sha256: string): string;
  meta(key: string): string;
  view(key: string): string;
}

export function layout(root: string): Layout {
  const metaRoot = join(root, '.meta');
  return {
    root,
    metaRoot,
    temporary: join(root, '.tmp'),
    secret: join(root, '.secret'),
    blob: (sha256) => join(root, '.blobs', sha256.slice(0, 2), sha256),
    meta: (key) => join(metaRoot, `${key}${META_SUFFIX}`),
    view: (key) => join(root, key),
  };
}
