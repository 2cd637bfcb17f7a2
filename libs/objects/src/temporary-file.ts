/** A body of any size into a temporary file, hashed on the way; a file into its place only when it is whole. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngramError } from '@engram/errors';
import type { Body } from './port.ts';

export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** A full disk is said to be one; any other error stays as it is. */
export function coded(error: unknown): unknown {
  const code = errno(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EngramError('DISK_FULL', 'no space is left for the object store', { cause: error });
  }
  return error;
}

export const temporaryFile = (folder: string): string => join(folder, randomUUID());

export interface Written {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

const CHUNK = 1 << 20;

/** Streams a body into a new temporary file, hashing as it goes; memory stays at one chunk. */
export async function writeTemporary(folder: string, body: Body): Promise<Written> {
  const file = temporaryFile(folder);
  const hash = createHash('sha256');
  let bytes = 0;
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'wx', 0o444);
    for await (const chunk of chunksOf(body)) {
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

export async function* chunksOf(body: Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  const source =
    'file' in body && typeof body.file === 'string' ? createReadStream(body.file, { highWaterMark: CHUNK }) : body;
  if (!(Symbol.asyncIterator in source)) return;
  for await (const chunk of source) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** The whole stream into `file`, which appears once it is complete. */
export async function streamToFile(stream: Readable, file: string): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(stream, createWriteStream(part));
    await rename(part, file);
  } catch (error) {
    throw coded(error);
  } finally {
    await rm(part, { force: true });
  }
}
