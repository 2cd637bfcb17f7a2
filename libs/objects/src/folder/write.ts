/** Writing to disk so that a power cut or a full disk leaves either the old file or the new one, never a part. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngramError } from '@engram/errors';
import type { Body } from '../port.ts';

export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

export function coded(error: unknown): unknown {
  const code = errno(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EngramError('DISK_FULL', 'no space is left for the object store', { cause: error });
  }
  return error;
}

/** Makes renames and links in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const temporaryFile = (folder: string): string => join(folder, randomUUID());

export interface Written {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

const CHUNK = 1 << 20;

/** Streams a body of any size into a new temporary file, hashing as it goes; memory stays at one chunk. */
export async function writeTemporary(folder: string, body: Body): Promise<Written> {
  const file = temporaryFile(folder);
  const hash = createHash('sha256');
  let bytes = 0;
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'wx', 0o444);
    for await (const chunk of chunks(body)) {
      hash.update(chunk);
      bytes += chunk.length;
      await handle.writeFile(chunk);
    }
    await handle.sync();
    await handle.close();
    handle = undefined;
    return { file, bytes, sha256: hash.digest('hex') };
  } catch (error) {
    await handle?.close();
    await rm(file, { force: true });
    throw coded(error);
  }
}

async function* chunks(body: Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  const source =
    'file' in body && typeof body.file === 'string' ? createReadStream(body.file, { highWaterMark: CHUNK }) : body;
  if (!(Symbol.asyncIterator in source)) return;
  for await (const chunk of source) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** Text into place by rename. `exclusive`: by link(2), which fails with EEXIST when the name is taken, atomically. */
export async function placeText(temporary: string, target: string, text: string, exclusive: boolean): Promise<void> {
  const file = temporaryFile(temporary);
  try {
    const handle = await open(file, 'wx', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await mkdir(dirname(target), { recursive: true });
    if (exclusive) await link(file, target);
    else await rename(file, target);
    await syncFolder(dirname(target));
  } catch (error) {
    throw coded(error);
  } finally {
    await rm(file, { force: true });
  }
}
