/**
 * Writing an object, conditionally or not, so that a writer always learns whether its bytes are in place: each put has an
 * id, kept with the object, and what was answered by an error or not at all is settled by looking.
 */
import { randomUUID } from 'node:crypto';
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { exists } from '../refusals.ts';
import { backoff } from './backoff.ts';
import { type Facts, factsOf, metadataOf } from './facts.ts';
import { failureOf, isAbsent, isUndecided, mayHaveBeenDone, statusOf } from './failure.ts';
import type { Staged } from './stage.ts';

export interface Target {
  readonly client: S3Client;
  readonly bucket: string;
  /** As S3 names it. */
  readonly path: string;
  /** As the port names it. */
  readonly key: string;
  readonly contentType: string;
  readonly ifAbsent: boolean;
  /** Bodies above are sent in parts of at least so many bytes. */
  readonly partBytes: number;
}

/** S3's own limit. */
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 4;
/** Times that a conditional write is repeated when S3 says another one was under way. */
const TRIES = 5;

/**
 * @returns the instant of the write, ISO 8601.
 * @throws OBJECT_EXISTS when `ifAbsent` and the key is taken by another put, even one of equal bytes; else as `failureOf`.
 */
export async function write(target: Target, staged: Staged): Promise<string> {
  const putId = randomUUID();
  for (let attempt = 1; ; attempt++) {
    try {
      await send(target, staged, putId);
      const found = await headOf(target);
      // Replaced or removed by another already: ours was in place all the same.
      return found?.modified ?? new Date().toISOString();
    } catch (error) {
      const found = mayHaveBeenDone(error) ? await headOf(target).catch(() => undefined) : undefined;
      if (found?.putId === putId) return found.modified;
      if (target.ifAbsent && statusOf(error) === 412) throw exists(target.key, error);
      if (!isUndecided(error) || attempt === TRIES) throw failureOf(error, target.key);
    }
    await backoff(attempt);
  }
}

async function send(target: Target, { body, bytes, sha256 }: Staged, putId: string): Promise<void> {
  const { client, bucket, path, contentType, ifAbsent, partBytes } = target;
  const params = {
    Bucket: bucket,
    Key: path,
    ContentType: contentType,
    Metadata: metadataOf(sha256, putId),
    ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
  };
  const Body = body();
  if (Body instanceof Uint8Array && bytes <= partBytes) {
    const ChecksumSHA256 = Buffer.from(sha256, 'hex').toString('base64');
    await client.send(new PutObjectCommand({ ...params, Body, ContentLength: bytes, ChecksumSHA256 }));
    return;
  }
  // Each part carries its own SHA-256; the hash of the whole is checked where the body is read.
  const upload = new Upload({
    client,
    params: { ...params, Body, ContentLength: bytes, ChecksumAlgorithm: 'SHA256' },
    partSize: Math.max(partBytes, Math.ceil(bytes / MAX_PARTS)),
    queueSize: PARTS_AT_ONCE,
  });
  await upload.done();
}

/** @returns undefined when there is no such object. @throws as S3 does. */
export async function headOf({
  client,
  bucket,
  path,
}: Pick<Target, 'client' | 'bucket' | 'path'>): Promise<Facts | undefined> {
  try {
    return factsOf(await client.send(new HeadObjectCommand({ Bucket: bucket, Key: path })));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
