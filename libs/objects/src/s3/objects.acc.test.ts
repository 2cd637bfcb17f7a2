/** The port's promises on a real S3 server, and what this adapter makes of a server and a line that fail. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { asEngramError } from '@engram/errors';
import { type Fault, type ProxiedRequest, random, startFaultProxy } from '@engram/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { objectsConformance } from '../conformance.ts';
import { ensureLifecycle } from '../lifecycle.ts';
import { openObjects } from '../open.ts';
import type { Objects } from '../port.ts';
import { openS3Objects, type S3Options } from './objects.ts';
import { freshS3Url, removeAll, restartS3, S3_RESTART, S3_URL, s3Endpoint } from './server.fixture.ts';

const given = S3_URL !== undefined;
const text = (value: string): Buffer => Buffer.from(value);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(!given)('an S3 server (needs S3_URL)', () => {
  objectsConformance('s3', async () => {
    const objects = await openObjects(freshS3Url());
    let waitUntil = 0;
    return {
      objects,
      advance(ms) {
        waitUntil = Date.now() + ms;
      },
      async read(url, headers = {}) {
        // The server's clock is not ours to move: what is to have expired is waited for.
        await sleep(Math.max(0, waitUntil - Date.now()));
        const response = await fetch(url, { headers });
        return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
      },
      async close() {
        await removeAll(objects);
        await objects.close();
      },
    };
  });

  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function open(url = freshS3Url(), options: S3Options = {}): Promise<Objects> {
    const objects = await openS3Objects(url, options);
    closing.push(() => objects.close());
    return objects;
  }

  test('a clock that is set an hour ahead and back again refuses nothing', async () => {
    const objects = await open();
    closing.push(() => removeAll(objects));
    await objects.put('a', text('a'));
    const all = (): Promise<unknown> =>
      Promise.all([1, 2, 3].flatMap((k) => [objects.get('a'), objects.head('a'), objects.put(`b${k}`, text(`${k}`))]));
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      for (const off of [3_600_000, 0, -3_600_000, 0]) {
        vi.setSystemTime(Date.now() + off);
        await all();
        vi.setSystemTime(vi.getRealSystemTime());
        await all();
      }
    } finally {
      vi.useRealTimers();
    }
  });

  /** A store behind a proxy that fails, and the same store without it. */
  async function behind(fault: (request: ProxiedRequest) => Fault | undefined, options: S3Options = {}) {
    const proxy = await startFaultProxy({ target: s3Endpoint(), fault });
    const url = freshS3Url(proxy.url);
    const direct = await open(url.replace(encodeURIComponent(proxy.url), encodeURIComponent(s3Endpoint())));
    closing.push(() => proxy.close());
    closing.push(() => removeAll(direct));
    return { objects: await open(url, options), direct, proxy };
  }

  /** The first request of a method and key meets the fault, the others do not. */
  function once(method: string, key: string, fault: Fault) {
    let left = 1;
    return (request: ProxiedRequest) =>
      request.method === method && request.path.includes(key) && left-- > 0 ? fault : undefined;
  }

  describe('a put', () => {
    test('of 20 racers for a key exactly one wins, in one request as in parts, and its bytes stay', async () => {
      const objects = await open(freshS3Url(), { partBytes: 5 << 20 });
      for (const size of [100, 6 << 20]) {
        const bodies = Array.from({ length: 20 }, (_, i) => Buffer.alloc(size, i));
        const puts = bodies.map((body) => objects.put(`race/${size}`, body, { ifAbsent: true }));
        const results = await Promise.allSettled(puts);
        const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
        expect(won).toHaveLength(1);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'OBJECT_EXISTS' });
        }
        expect((await objects.head(`race/${size}`))?.sha256).toBe(sha256(bodies[won[0] ?? -1] ?? Buffer.alloc(0)));
      }
      await removeAll(objects);
    });

    test('of equal bytes by another does not count as ours', async () => {
      const objects = await open();
      await objects.put('k', text('same'), { ifAbsent: true });
      await expect(objects.put('k', text('same'), { ifAbsent: true })).rejects.toMatchObject({ code: 'OBJECT_EXISTS' });
      await removeAll(objects);
    });

    test('that was stored and answered 500 is a success, and not a second one', async () => {
      const { objects, direct, proxy } = await behind(once('PUT', 'once', 'lost-answer'));
      const info = await objects.put('once', text('mine'), { ifAbsent: true });
      expect(info).toEqual(await direct.head('once'));
      expect(proxy.requests.filter(({ method }) => method === 'PUT')).toHaveLength(2);
      await expect(objects.put('once', text('mine'), { ifAbsent: true })).rejects.toMatchObject({
        code: 'OBJECT_EXISTS',
      });
    });

    test('in parts survives a completion that was answered 500', async () => {
      const completing = ({ method, path }: ProxiedRequest) =>
        method === 'POST' && path.includes('uploadId') && lost-- > 0 ? 'lost-answer' : undefined;
      let lost = 1;
      const { objects, direct } = await behind(completing, { partBytes: 5 << 20 });
      const body = randomBytes(12 << 20);
      const info = await objects.put('parts', body, { ifAbsent: true });
      expect(info.sha256).toBe(sha256(body));
      expect(sha256(await direct.get('parts'))).toBe(info.sha256);
    });

    test('of a file that changes while it is sent leaves nothing', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'engram-objects-s3-'));
      const file = join(folder, 'large');
      writeFileSync(file, Buffer.alloc(12 << 20, 1));
      const { objects, direct } = await behind(
        ({ method, path }) => {
          if (method === 'POST' && path.includes('uploads')) writeFileSync(file, Buffer.alloc(12 << 20, 2));
          return undefined;
        },
        { partBytes: 5 << 20 },
      );
      await expect(objects.put('changing', { file })).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
      expect(await direct.head('changing')).toBeUndefined();
      rmSync(folder, { recursive: true });
    });
  });

  describe('a read', () => {
    test.each(['truncated', 'altered', 'unavailable', 'slow'] as const)(
      'gets over an answer that is %s',
      async (fault) => {
        const { objects, direct } = await behind(once('GET', 'key', fault));
        const body = randomBytes(1 << 20);
        await direct.put('key', body);
        expect(Buffer.compare(await objects.get('key'), body)).toBe(0);
      },
    );

    test('asks again for the rest only when the body broke off, and a stalled one breaks off', async () => {
      const { objects, direct, proxy } = await behind(once('GET', 'key', 'stalled'), { idleMs: 500 });
      const body = randomBytes(1 << 20);
      await direct.put('key', body);
      const chunks: Buffer[] = [];
      for await (const chunk of await objects.stream('key', { start: 10 })) chunks.push(chunk);
      expect(Buffer.compare(Buffer.concat(chunks), body.subarray(10))).toBe(0);
      const ranges = proxy.requests.flatMap(({ method, headers }) => (method === 'GET' ? [headers.range] : []));
      expect(ranges).toEqual(['bytes=10-', expect.stringMatching(/^bytes=5242\d\d-1048575$/)]);
    });

    test('of bytes that are not those of the hash is refused every time', async () => {
      const url = freshS3Url();
      const objects = await open(url);
      const { host, pathname, searchParams } = new URL(url);
      const client = new S3Client({ endpoint: searchParams.get('endpoint') ?? '', region: 'us-east-1' });
      const Key = `${pathname.slice(1)}/k`;
      const Metadata = { sha256: sha256(text('the right bytes')) };
      await client.send(new PutObjectCommand({ Bucket: host, Key, Body: text('the wrong bytes'), Metadata }));
      await expect(objects.get('k')).rejects.toMatchObject({ code: 'OBJECT_CORRUPT', file: 'k' });
      await expect(objects.download('k', join(tmpdir(), 'never'))).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
      await client.send(
        new PutObjectCommand({ Bucket: host, Key: `${pathname.slice(1)}/other`, Body: text('theirs') }),
      );
      expect((await objects.head('other'))?.sha256).toBe(sha256(text('theirs')));
      expect((await objects.copy('other', 'copied')).sha256).toBe(sha256(text('theirs')));
      client.destroy();
      await removeAll(objects);
    });
  });

  test('a copy larger than the store copies in one step goes through this process', async () => {
    const objects = await open(freshS3Url(), { copyBytes: 10 });
    const body = randomBytes(100);
    await objects.put('from', body, { contentType: 'text/plain' });
    expect(await objects.copy('from', 'to')).toMatchObject({ sha256: sha256(body), contentType: 'text/plain' });
    expect(await objects.get('to')).toEqual(body);
    await removeAll(objects);
  });

  // The anchor: 5 % answered 503, 1 % stored but answered 500, 1 % cut short; all must finish and no byte be wrong.
  test('300 puts and gets through a bad line all finish, whole', async () => {
    const chance = random(7);
    const { objects, proxy } = await behind(() => {
      const at = chance.uniform();
      if (at < 0.05) return 'unavailable';
      if (at < 0.06) return 'lost-answer';
      return at < 0.07 ? 'truncated' : undefined;
    });
    for (let i = 0; i < 300; i += 10) {
      await Promise.all(
        Array.from({ length: 10 }, async (_, j) => {
          const body = Buffer.alloc(20_000, i + j);
          const info = await objects.put(`n/${i + j}`, body, { ifAbsent: true });
          expect(info.sha256).toBe(sha256(body));
          expect(sha256(await objects.get(info.key))).toBe(info.sha256);
        }),
      );
    }
    expect(proxy.requests.filter(({ fault }) => fault !== undefined).length).toBeGreaterThan(30);
    expect(await objects.usage('n/')).toEqual({ objects: 300, bytes: 6_000_000 });
  });

  test('lifecycle rules are applied, read back, replaced and taken away, and those of others stay', async () => {
    const [mine, theirs] = [freshS3Url(), freshS3Url()];
    const kept = [{ prefix: 'tasks/', expireAfterDays: 9 }];
    expect(await ensureLifecycle(theirs, kept)).toEqual(kept);
    const first = [
      { prefix: 'tasks/', expireAfterDays: 30 },
      { prefix: 'exports/', expireAfterDays: 7 },
    ];
    for (const _ of ['first', 'second time']) {
      expect(new Set(await ensureLifecycle(mine, first))).toEqual(new Set(first));
    }
    const second = [{ prefix: 'tasks/', expireAfterDays: 10 }];
    expect(await ensureLifecycle(mine, second)).toEqual(second);
    expect(await ensureLifecycle(mine, [])).toEqual([]);
    expect(await ensureLifecycle(theirs, kept)).toEqual(kept);
    expect(await ensureLifecycle(theirs, [])).toEqual([]);
  });

  test('a bucket that is not there and credentials that will not do are said at once, without repeating them', async () => {
    const absent = new URL(S3_URL ?? '');
    absent.host = 'engram-no-such-bucket';
    await expect(openObjects(absent.href)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const secret = process.env['AWS_SECRET_ACCESS_KEY'];
    try {
      process.env['AWS_SECRET_ACCESS_KEY'] = 'not-the-secret-key';
      const objects = await open();
      const error = await objects.get('k').catch((thrown: unknown) => asEngramError(thrown));
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', field: 'AWS_ACCESS_KEY_ID' });
      expect(inspect(error)).not.toContain('not-the-secret-key');
      expect(inspect(error)).not.toContain('SignatureDoesNotMatch');
    } finally {
      process.env['AWS_SECRET_ACCESS_KEY'] = secret;
    }
  });

  test.skipIf(S3_RESTART === undefined)(
    'a server restarted in the middle costs time and nothing else (needs S3_RESTART, a shell command)',
    async () => {
      const objects = await open(freshS3Url(), { attempts: 12 });
      const keys = Array.from({ length: 60 }, (_, i) => `k/${i}`);
      const restarting = sleep(300).then(restartS3);
      for (const key of keys) {
        await objects.put(key, text(key), { ifAbsent: true });
        await sleep(50);
      }
      await restarting;
      for (const key of keys) expect(String(await objects.get(key))).toBe(key);
      await removeAll(objects);
    },
  );
});
