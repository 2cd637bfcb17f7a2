/** Reading an object whole or in part, across a line that breaks: what is missing is asked for again, of the same object. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { isEngramError } from '@engram/errors';
import type { Range } from '../port.ts';
import { corrupt } from '../refusals.ts';
import { backoff } from './backoff.ts';
import { type Facts, factsOf } from './facts.ts';
import { failureOf, statusOf } from './failure.ts';

export interface Source {
  readonly client: S3Client;
  readonly bucket: string;
  /** As S3 names it. */
  readonly path: string;
  /** As the port names it. */
  readonly key: string;
  /** Tries to read on from where the body broke off. */
  readonly attempts: number;
}

export interface Reading {
  readonly facts: Facts;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** @throws as `failureOf`; the chunks throw UPSTREAM_FAILED when the body keeps breaking off. */
export async function openReading(source: Source, range?: Range): Promise<Reading> {
  const start = range?.start ?? 0;
  const first = await getObject(source, range && rangeHeader(start, range.end));
  const facts = factsOf(first);
  const end = Math.min(range?.end ?? facts.bytes - 1, facts.bytes - 1);
  return { facts, chunks: resumed(source, first, { start, end, etag: facts.etag }) };
}

const rangeHeader = (start: number, end?: number): string => `bytes=${start}-${end ?? ''}`;

async function getObject(
  { client, bucket, path, key }: Source,
  range?: string,
  etag?: string,
): Promise<GetObjectCommandOutput> {
  const input = {
    Bucket: bucket,
    Key: path,
    ...(range === undefined ? {} : { Range: range }),
    ...(etag === undefined ? {} : { IfMatch: etag }),
  };
  try {
    return await client.send(new GetObjectCommand(input));
  } catch (error) {
    throw failureOf(error, key);
  }
}

interface Span {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
  readonly etag: string | undefined;
}

async function* resumed(source: Source, first: GetObjectCommandOutput, span: Span): AsyncGenerator<Uint8Array> {
  let at = span.start;
  let { Body: body } = first;
  for (let attempt = 1; ; attempt++) {
    try {
      if (!(body instanceof Readable)) throw new TypeError('the answer has no body');
      for await (const chunk of body) {
        at += chunk.length;
        yield chunk;
      }
      if (at === span.end + 1) return;
      throw new Error(`the body ended ${span.end + 1 - at} bytes early`);
    } catch (error) {
      if (attempt === source.attempts) throw failureOf(error, source.key);
    }
    await backoff(attempt);
    ({ Body: body } = await getObject(source, rangeHeader(at, span.end), span.etag));
  }
}

/**
 * The chunks, and an error in place of the end when they are not what the object's sha256 says.
 * @param taken Told the hash of an object read to its end.
 */
export async function* verified(
  key: string,
  { facts, chunks }: Reading,
  taken: (sha256: string) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  const sha256 = hash.digest('hex');
  if (facts.sha256 !== undefined && sha256 !== facts.sha256) throw corrupt(key);
  taken(sha256);
}

/** A second time when the bytes were wrong (the line may be at fault, not the store) or the object was replaced meanwhile. */
export async function twice<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const replaced = isEngramError(error) && statusOf(error.cause) === 412;
    if (!replaced && !isEngramError(error, 'OBJECT_CORRUPT')) throw error;
    return await work();
  }
}
