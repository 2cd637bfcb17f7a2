/** Hashes of what a run is given. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileSha256 } from '@engram/cache';
import { EngramError } from '@engram/errors';
import { digestOf } from './canonical-json.ts';
import type { RunInput } from './task.ts';

export interface HashedInput {
  readonly path: string;
  readonly tracer: string | undefined;
  /** Of the file's bytes; for a folder, of the sorted hashes of its files, so that renamed DICOM files change nothing. */
  readonly contentSha256: string;
  /** Of the content, what lies beside it (a BIDS sidecar) and what was said about it: goes into the keys. */
  readonly sha256: string;
}

/** `name.json` beside `name.nii.gz`: BIDS metadata. */
export const sidecarOf = (path: string): string =>
  join(dirname(path), `${basename(path).replace(/\.nii(\.gz)?$/i, '')}.json`);

/** @throws FILE_NOT_FOUND */
export async function hashInput(role: string, input: RunInput): Promise<HashedInput> {
  const entry = await stat(input.path).catch((cause: unknown) => {
    throw new EngramError('FILE_NOT_FOUND', `${basename(input.path)}: there is no such file or folder`, {
      file: basename(input.path),
      field: role,
      cause,
    });
  });
  const contentSha256 = entry.isDirectory() ? digestOf(await folderHashes(input.path)) : await fileSha256(input.path);
  const sidecar = entry.isDirectory() ? null : await readFile(sidecarOf(input.path), 'utf8').catch(() => null);
  const tracer = input.tracer?.trim() || undefined;
  return { path: input.path, tracer, contentSha256, sha256: digestOf({ contentSha256, sidecar, tracer }) };
}

async function folderHashes(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const hashes: string[] = [];
  for (const file of files) hashes.push(await fileSha256(join(file.parentPath, file.name)));
  return hashes.sort();
}
