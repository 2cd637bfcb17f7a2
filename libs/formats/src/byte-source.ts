/** The bytes of a file or of memory, inflated on the way and never more of them than asked for. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EngramError, isEngramError } from '@engram/errors';
import type { Limits } from './limits.ts';

/** A path, or the bytes themselves. */
export type Source = string | Uint8Array;

export interface OpenSource {
  readonly name: string;
  /** As stored. */
  readonly storedBytes: number;
  readonly gzip: boolean;
  /** Inflated chunks in order. May be left before its end. */
  chunks(): AsyncIterable<Uint8Array>;
}

const CHUNK = 1 << 18;

/** What a source is called in messages: never its folder, which may hold a patient's name. */
export function nameOf(source: Source, name?: string): string {
  return name ?? (typeof source === 'string' ? basename(source) : 'image');
}

/** @throws FILE_NOT_FOUND, FILE_TOO_LARGE; the chunks throw GZIP_INVALID. */
export async function openSource(source: Source, name: string, limits: Limits): Promise<OpenSource> {
  const { storedBytes, magic } = typeof source === 'string' ? await inspect(source, name) : inspectBytes(source);
  if (storedBytes > limits.maxFileBytes) {
    throw new EngramError('FILE_TOO_LARGE', `${name}: ${storedBytes} bytes; the limit is ${limits.maxFileBytes}`, {
      file: name,
    });
  }
  const gzip = magic[0] === 0x1f && magic[1] === 0x8b;
  const stored = () =>
    typeof source === 'string' ? createReadStream(source, { highWaterMark: CHUNK }) : Readable.from(slices(source));
  return { name, storedBytes, gzip, chunks: () => (gzip ? inflate(stored(), name) : stored()) };
}

function* slices(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

const inspectBytes = (bytes: Uint8Array) => ({ storedBytes: bytes.length, magic: bytes.subarray(0, 2) });

async function inspect(path: string, name: string): Promise<{ storedBytes: number; magic: Uint8Array }> {
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new EngramError('FILE_NOT_FOUND', `${name} is a folder, not a file`, { file: name });
    const magic = new Uint8Array(2);
    await using file = await open(path);
    await file.read(magic, 0, 2, 0);
    return { storedBytes: info.size, magic };
  } catch (cause) {
    if (isEngramError(cause)) throw cause;
    throw new EngramError('FILE_NOT_FOUND', `${name} cannot be opened`, { file: name, cause });
  }
}

async function* inflate(stored: Readable, name: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  stored.on('error', (error) => gunzip.destroy(error));
  stored.pipe(gunzip);
  try {
    for await (const chunk of gunzip) yield chunk;
  } catch (cause) {
    if (isEngramError(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : 'unreadable';
    const truncated = why === 'unexpected end of file';
    throw new EngramError(
      truncated ? 'NIFTI_TRUNCATED' : 'GZIP_INVALID',
      truncated ? `${name}: the gzip stream ends early` : `${name}: the gzip stream is broken (${why})`,
      { file: name, cause },
    );
  } finally {
    stored.destroy();
    gunzip.destroy();
  }
}
