/**
 * `checksums/<name>-<version>.sha256`, in the form of sha256sum: every file that a registry gave us when the version was
 * taken. A different set of files is refused too, so that transitive dependencies cannot drift.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileSha256 } from '@engram/cache';
import { EngramError } from '@engram/errors';
import type { Checksums } from '../server.ts';

const FOLDER = fileURLToPath(new URL('../../checksums/', import.meta.url));

/** @param record write down what is found instead of comparing: for taking a new version. */
export function checksumsOf(identity: string, record: boolean, folder = FOLDER): Checksums {
  const list = join(folder, `${identity}.sha256`);
  return {
    async check(files) {
      const found = await hashes(files);
      if (record) return writeFile(list, format(found));
      const recorded = await readFile(list, 'utf8').catch(() => '');
      const difference = firstDifference(parse(recorded), found);
      if (difference !== undefined) throw new EngramError('PACKAGE_UNAVAILABLE', `${identity}: ${difference}`);
    },
  };
}

async function hashes(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await readdir(folder)).sort()) found.set(name, await fileSha256(join(folder, name)));
  return found;
}

const format = (files: ReadonlyMap<string, string>): string =>
  [...files].map(([name, sha256]) => `${sha256}  ${name}\n`).join('');

const parse = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)].map(([, sha256 = '', name = '']) => [name, sha256]));

function firstDifference(
  recorded: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string | undefined {
  for (const [name, sha256] of recorded) {
    if (!found.has(name)) return `${name} was not fetched`;
    if (found.get(name) !== sha256) return `${name} does not match its recorded sha256`;
  }
  const stranger = [...found.keys()].find((name) => !recorded.has(name));
  return stranger === undefined ? undefined : `${stranger} has no recorded sha256`;
}
