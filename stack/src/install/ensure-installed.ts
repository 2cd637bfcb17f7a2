import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { appearWhole, cacheDir } from '@engram/cache';
import type { Progress, ServerDefinition } from '../server.ts';
import { checksumsOf } from './checksums.ts';

export interface InstallOptions {
  readonly cache?: string;
  readonly progress?: Progress;
  /** Fetch anew and write down the checksums of what came. */
  readonly record?: boolean;
}

/** @returns the installed folder, fetched if it was not there. @throws PACKAGE_UNAVAILABLE */
export async function ensureInstalled(
  server: ServerDefinition,
  { cache = cacheDir(), progress = () => {}, record = false }: InstallOptions = {},
): Promise<string> {
  const identity = `${server.name}-${server.version}`;
  const target = join(cache, 'stack', identity);
  if (!record && (await exists(target))) return target;
  const say: Progress = (text) => progress(`${identity}: ${text}`);
  const start = performance.now();
  await appearWhole(target, (folder, work) =>
    server.install({ folder, work, checksums: checksumsOf(identity, record) }, say),
  );
  say(`installed in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return target;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
