/** A body made ready to be sent as often as need be: its size and hash known first, since S3 wants them ahead of the bytes. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Body } from '../port.ts';
import { mismatch } from '../refusals.ts';
import { chunksOf, writeTemporary } from '../temporary-file.ts';

export interface Staged {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** From its start, each time; a stream throws OBJECT_CORRUPT at its end when its file has changed since it was hashed. */
  body(): Uint8Array | Readable;
  discard(): Promise<void>;
}

/** @param inMemory Bodies up to so many bytes are held; larger ones stay in their file, or go to a temporary one. */
export async function stage(key: string, body: Body, inMemory: number): Promise<Staged> {
  if (body instanceof Uint8Array) return held(body);
  if (body instanceof Readable) return spooled(key, body, inMemory);
  if (!('file' in body)) throw new TypeError('a body is bytes, a stream or a file');
  const { size } = await stat(body.file);
  if (size <= inMemory) return held(await bytesOf(body));
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunksOf(body)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return inFile(key, { file: body.file, bytes, sha256: hash.digest('hex') }, async () => undefined);
}

async function spooled(key: string, body: Readable, inMemory: number): Promise<Staged> {
  const folder = await mkdtemp(join(tmpdir(), 'engram-objects-'));
  const discard = () => rm(folder, { recursive: true, force: true });
  try {
    const written = await writeTemporary(folder, body);
    if (written.bytes > inMemory) return inFile(key, written, discard);
    const small = held(await bytesOf(written));
    await discard();
    return small;
  } catch (error) {
    await discard();
    throw error;
  }
}

async function bytesOf(body: { readonly file: string }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksOf(body)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function held(bytes: Uint8Array): Staged {
  return {
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    body: () => bytes,
    discard: async () => undefined,
  };
}

interface Hashed {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

function inFile(key: string, hashed: Hashed, discard: () => Promise<void>): Staged {
  async function* checked(): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    for await (const chunk of chunksOf({ file: hashed.file })) {
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest('hex') !== hashed.sha256) throw mismatch(key);
  }
  return {
    bytes: hashed.bytes,
    sha256: hashed.sha256,
    body: () => Readable.from(checked(), { objectMode: false }),
    discard,
  };
}
