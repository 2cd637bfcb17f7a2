/** The S3 adapter. The hash and the id of its put lie with each object (facts.ts); a body is checked wherever it is read. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { EngramError } from '@engram/errors';
import { checkKey, checkPrefix } from '../key.ts';
import type { ListedObject, ObjectInfo, Objects, Range } from '../port.ts';
import { mismatch, notFound, outside } from '../refusals.ts';
import { streamToFile } from '../temporary-file.ts';
import { createClient, type Patience } from './client.ts';
import type { Facts } from './facts.ts';
import { failureOf, statusOf } from './failure.ts';
import { type Location, parseS3Url } from './location.ts';
import { openReading, type Source, twice, verified } from './read.ts';
import { stage } from './stage.ts';
import { headOf, write } from './write.ts';

export interface S3Options extends Patience {
  /** Bodies above are sent in parts of so many bytes; S3 wants at least 5 MiB. Default 8 MiB. */
  readonly partBytes?: number;
  /** Objects above are copied through this process. Default 5 GiB, S3's own limit. */
  readonly copyBytes?: number;
}

const MIB = 1 << 20;
const MAX_PAGE = 1000;
/** S3's own limit: seven days. */
const MAX_PRESIGN_S = 604_800;

/**
 * @param url as `parseS3Url` reads it; credentials come from the AWS chain (environment, profile, container, instance).
 * @throws CONFIG_INVALID when the URL will not do or the bucket does not exist; UPSTREAM_FAILED when the store cannot be reached.
 */
export async function openS3Objects(url: string, options: S3Options = {}): Promise<Objects> {
  const location = parseS3Url(url);
  const client = createClient(location, options);
  try {
    await checkBucket(client, location.bucket);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return s3Objects(client, location, options);
}

/** A credential that may read objects but not list the bucket is told 403: whether it exists shows when it is used. */
async function checkBucket(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (statusOf(error) === 403) return;
    if (statusOf(error) !== 404) throw failureOf(error, '');
    throw new EngramError('CONFIG_INVALID', `there is no bucket ${bucket}`, { field: 'ENGRAM_OBJECTS_URL' });
  }
}

function s3Objects(client: S3Client, { bucket, prefix }: Location, options: S3Options): Objects {
  const { partBytes = 8 * MIB, copyBytes = 5 * 1024 * MIB, attempts = 5 } = options;
  const pathOf = (key: string): string => `${prefix}${checkKey(key)}`;
  const sourceOf = (key: string): Source => ({ client, bucket, path: pathOf(key), key, attempts });

  async function factsOf(key: string): Promise<Facts | undefined> {
    try {
      return await headOf({ client, bucket, path: pathOf(key) });
    } catch (error) {
      throw failureOf(error, key);
    }
  }

  /** An object that another program put there carries no hash of ours: it is taken by reading it. */
  async function infoOf(key: string, facts: Facts): Promise<ObjectInfo> {
    const { bytes, contentType, modified } = facts;
    return { key, bytes, sha256: facts.sha256 ?? (await hashOf(key)), contentType, modified };
  }

  async function hashOf(key: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of (await openReading(sourceOf(key))).chunks) hash.update(chunk);
    return hash.digest('hex');
  }

  async function openWhole(key: string, taken?: (sha256: string) => void): Promise<{ facts: Facts; stream: Readable }> {
    const reading = await openReading(sourceOf(key));
    return { facts: reading.facts, stream: Readable.from(verified(key, reading, taken), { objectMode: false }) };
  }

  async function* pages(below: string, after?: string, limit = MAX_PAGE): AsyncGenerator<Page> {
    for (let cursor = after; ; ) {
      const page = await listPage(below, cursor, limit);
      yield page;
      if (page.next === null) return;
      cursor = page.next;
    }
  }

  async function listPage(below: string, after: string | undefined, limit: number): Promise<Page> {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: `${prefix}${checkPrefix(below)}`,
      MaxKeys: Math.min(MAX_PAGE, Math.max(1, limit)),
      ...(after === undefined ? {} : { StartAfter: pathOf(after) }),
    });
    try {
      const { Contents = [], IsTruncated } = await client.send(command);
      const objects = Contents.map(({ Key = '', Size = 0, LastModified = new Date(0) }) => ({
        key: Key.slice(prefix.length),
        bytes: Size,
        modified: LastModified.toISOString(),
      }));
      return { objects, next: IsTruncated === true ? (objects.at(-1)?.key ?? null) : null };
    } catch (error) {
      throw failureOf(error, below);
    }
  }

  const objects: Objects = {
    async head(key) {
      const facts = await factsOf(key);
      return facts && infoOf(key, facts);
    },

    async put(key, body, { contentType = 'application/octet-stream', sha256, ifAbsent = false } = {}) {
      const path = pathOf(key);
      const staged = await stage(key, body, partBytes);
      try {
        if (sha256 !== undefined && sha256 !== staged.sha256) throw mismatch(key);
        const target = { client, bucket, path, key, contentType, ifAbsent, partBytes };
        const modified = await write(target, staged);
        return { key, bytes: staged.bytes, sha256: staged.sha256, contentType, modified };
      } finally {
        await staged.discard();
      }
    },

    async get(key) {
      return twice(async () => buffer((await openWhole(key)).stream));
    },

    async stream(key, range) {
      if (!range) return (await openWhole(key)).stream;
      if (!sensible(range)) throw outside(key);
      return Readable.from((await openReading(sourceOf(key), range)).chunks, { objectMode: false });
    },

    async download(key, file) {
      return twice(async () => {
        let sha256 = '';
        const { facts, stream } = await openWhole(key, (taken) => {
          sha256 = taken;
        });
        await streamToFile(stream, file);
        return infoOf(key, { ...facts, sha256 });
      });
    },

    async list(below, { limit = MAX_PAGE, cursor } = {}) {
      return listPage(below, cursor, limit);
    },

    async copy(from, to) {
      const target = pathOf(to);
      const facts = await factsOf(from);
      if (!facts) throw notFound(from);
      if (facts.bytes > copyBytes || facts.sha256 === undefined) {
        return objects.put(to, (await openWhole(from)).stream, { contentType: facts.contentType });
      }
      const command = new CopyObjectCommand({
        Bucket: bucket,
        Key: target,
        CopySource: `${bucket}/${pathOf(from).split('/').map(encodeURIComponent).join('/')}`,
        ...(facts.etag === undefined ? {} : { CopySourceIfMatch: facts.etag }),
      });
      try {
        const { CopyObjectResult: copied } = await client.send(command);
        return await infoOf(to, { ...facts, modified: (copied?.LastModified ?? new Date()).toISOString() });
      } catch (error) {
        throw failureOf(error, from);
      }
    },

    async remove(key) {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: pathOf(key) }));
      } catch (error) {
        throw failureOf(error, key);
      }
    },

    async presign(key, { expiresInSeconds }) {
      if (!(expiresInSeconds >= 1 && expiresInSeconds <= MAX_PRESIGN_S)) {
        throw new EngramError('REQUEST_INVALID', 'a presigned URL lasts from one second to seven days', {
          field: 'expiresInSeconds',
        });
      }
      if (!(await factsOf(key))) throw notFound(key);
      const command = new GetObjectCommand({ Bucket: bucket, Key: pathOf(key) });
      return signatureLast(await getSignedUrl(client, command, { expiresIn: Math.floor(expiresInSeconds) }));
    },

    async usage(below) {
      let count = 0;
      let bytes = 0;
      for await (const page of pages(below)) {
        count += page.objects.length;
        bytes += page.objects.reduce((sum, object) => sum + object.bytes, 0);
      }
      return { objects: count, bytes };
    },

    async close() {
      client.destroy();
    },
  };
  return objects;
}

interface Page {
  readonly objects: readonly ListedObject[];
  readonly next: string | null;
}

const sensible = ({ start, end }: Range): boolean =>
  Number.isInteger(start) && start >= 0 && (end === undefined || (Number.isInteger(end) && end >= start));

/** As in the folder adapter's URLs, so that a URL cut short never works. */
function signatureLast(url: string): string {
  const parsed = new URL(url);
  const signature = parsed.searchParams.get('X-Amz-Signature') ?? '';
  parsed.searchParams.delete('X-Amz-Signature');
  parsed.searchParams.append('X-Amz-Signature', signature);
  return parsed.href;
}
