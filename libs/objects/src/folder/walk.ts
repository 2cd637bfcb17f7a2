/** Keys below a prefix in byte order, without holding more than one folder's names. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../temporary-file.ts';
import { META_SUFFIX } from './layout.ts';

/** Keys that start with `prefix` and come after `after`; folders that cannot hold any are not opened. */
export async function* walkKeys(metaRoot: string, prefix: string, after = '', folder = ''): AsyncGenerator<string> {
  const entries = await readdir(join(metaRoot, folder), { withFileTypes: true }).catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  });
  // A folder sorts as `name/`, so that `a.txt` comes before `a/b` as it does among whole keys.
  const names = entries
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name.slice(0, -META_SUFFIX.length)))
    .sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    const path = `${folder}${name}`;
    if (!path.endsWith('/')) {
      if (path.startsWith(prefix) && path > after) yield path;
    } else if ((path.startsWith(prefix) || prefix.startsWith(path)) && (path > after || after.startsWith(path))) {
      yield* walkKeys(metaRoot, prefix, after, path);
    }
  }
}
