/**
 * What every object store must do. An adapter is plugged in by a test file that calls `objectsConformance` with a way to
 * open it; `read` fetches a presigned URL as a stranger would, without credentials.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Objects } from './port.ts';

export interface ObjectsUnderTest {
  readonly objects: Objects;
  /** Moves the clock that presigned URLs are judged by. */
  advance(ms: number): void;
  read(url: string, headers?: Record<string, string>): Promise<{ status: number; body: Buffer }>;
  close(): Promise<void>;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const text = (value: string): Buffer => Buffer.from(value);

export function objectsConformance(name: string, open: () => Promise<ObjectsUnderTest>): void {
  describe(`objects: ${name}`, () => {
    let under: ObjectsUnderTest;
    let objects: Objects;
    let folder: string;
    beforeEach(async () => {
      under = await open();
      objects = under.objects;
      folder = mkdtempSync(join(tmpdir(), 'engram-objects-test-'));
    });
    afterEach(async () => {
      await under.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('bytes, a stream and a file come back as they were put, with size, hash and type', async () => {
      const bytes = randomBytes(300_000);
      const file = join(folder, 'in');
      writeFileSync(file, bytes);
      const bodies = { bytes, stream: Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]), file: { file } };
      for (const [kind, body] of Object.entries(bodies)) {
        const info = await objects.put(`a/${kind}.nii.gz`, body, { contentType: 'application/gzip' });
        expect(info).toMatchObject({ bytes: 300_000, sha256: sha256(bytes), contentType: 'application/gzip' });
        expect(await objects.head(`a/${kind}.nii.gz`)).toEqual(info);
        expect(sha256(await objects.get(`a/${kind}.nii.gz`))).toBe(info.sha256);
      }
    });

    test('an empty object is an object', async () => {
      expect(await objects.put('empty', new Uint8Array())).toMatchObject({ bytes: 0 });
      expect((await objects.get('empty')).length).toBe(0);
    });

    test('a body larger than a part streams in and out whole', async () => {
      const parts = Array.from({ length: 24 }, (_, i) => Buffer.alloc(1 << 20, i));
      const whole = createHash('sha256');
      for (const part of parts) whole.update(part);
      const info = await objects.put('large', Readable.from(parts));
      expect(info).toMatchObject({ bytes: 24 << 20, sha256: whole.digest('hex') });
      const file = join(folder, 'large');
      expect((await objects.download('large', file)).sha256).toBe(info.sha256);
      expect(sha256(readFileSync(file))).toBe(info.sha256);
    });

    test('a body that breaks off, or is not what its hash says, leaves nothing', async () => {
      const broken = Readable.from(
        (function* () {
          yield text('half');
          throw new Error('the line went dead');
        })(),
      );
      await expect(objects.put('k', broken)).rejects.toThrow('the line went dead');
      await expect(objects.put('k', text('x'), { sha256: sha256(text('y')) })).rejects.toMatchObject({
        code: 'OBJECT_CORRUPT',
      });
      expect(await objects.head('k')).toBeUndefined();
      expect((await objects.list('')).objects).toEqual([]);
    });

    test('no reader sees a part: while a body arrives there is no object, and an old one stays readable', async () => {
      const half = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      const slow = Readable.from(
        (async function* () {
          yield text('new ');
          half.resolve();
          await go.promise;
          yield text('body');
        })(),
      );
      await objects.put('view', text('old'));
      const putting = objects.put('view', slow);
      await half.promise;
      expect(String(await objects.get('view'))).toBe('old');
      go.resolve();
      await putting;
      expect(String(await objects.get('view'))).toBe('new body');
    });

    test('put-if-absent: of many at once exactly one wins, and its bytes stay', async () => {
      const puts = Array.from({ length: 12 }, (_, i) => objects.put('once', text(`writer ${i}`), { ifAbsent: true }));
      const results = await Promise.allSettled(puts);
      const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
      expect(winners).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'OBJECT_EXISTS' });
      }
      expect(String(await objects.get('once'))).toBe(`writer ${winners[0]}`);
    });

    test('a range gives these bytes and no others; one outside is refused', async () => {
      await objects.put('k', text('0123456789'));
      const read = async (start: number, end?: number) =>
        String(await buffer(await objects.stream('k', end === undefined ? { start } : { start, end })));
      expect(await read(2, 4)).toBe('234');
      expect(await read(7)).toBe('789');
      expect(await read(8, 99)).toBe('89');
      expect(String(await buffer(await objects.stream('k')))).toBe('0123456789');
      await expect(objects.stream('k', { start: 10 })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      await expect(objects.stream('k', { start: 4, end: 2 })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    });

    test('what is not there is said to be not there, by every way of reading', async () => {
      const absent = { code: 'OBJECT_NOT_FOUND', file: 'no/such' };
      expect(await objects.head('no/such')).toBeUndefined();
      await expect(objects.get('no/such')).rejects.toMatchObject(absent);
      await expect(objects.stream('no/such')).rejects.toMatchObject(absent);
      await expect(objects.download('no/such', join(folder, 'x'))).rejects.toMatchObject(absent);
      await expect(objects.copy('no/such', 'b')).rejects.toMatchObject(absent);
    });

    test('a list is in order of keys, by prefix, page after page without gap or repeat', async () => {
      const keys = ['a.txt', 'a/b/1', 'a/b/2', 'a/b.c', 'ab/1', 'a-1', 'b', 'a/b/10'];
      for (const key of keys) await objects.put(key, text(key));
      const sorted = [...keys].sort();
      const listed = async (prefix: string) => (await objects.list(prefix)).objects.map((info) => info.key);
      expect(await listed('')).toEqual(sorted);
      expect(await listed('a/')).toEqual(sorted.filter((key) => key.startsWith('a/')));
      expect(await listed('a/b')).toEqual(sorted.filter((key) => key.startsWith('a/b')));
      expect(await listed('none/')).toEqual([]);
      const paged: string[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await objects.list('', { limit: 3, ...(cursor ? { cursor } : {}) });
        paged.push(...page.objects.map((info) => info.key));
        cursor = page.next;
      } while (cursor);
      expect(paged).toEqual(sorted);
    });

    test('a copy outlives its source; removing is idempotent', async () => {
      await objects.put('from', text('bytes'), { contentType: 'text/plain' });
      expect(await objects.copy('from', 'to/here')).toMatchObject({ key: 'to/here', contentType: 'text/plain' });
      await objects.remove('from');
      await objects.remove('from');
      expect(await objects.head('from')).toBeUndefined();
      expect(String(await objects.get('to/here'))).toBe('bytes');
    });

    test('equal bytes under several keys are independent of one another', async () => {
      for (const key of ['one', 'two', 'three']) await objects.put(key, text('same'));
      await objects.remove('one');
      await objects.put('two', text('other'));
      expect(String(await objects.get('three'))).toBe('same');
      await objects.remove('three');
      await objects.put('four', text('same'));
      expect(String(await objects.get('four'))).toBe('same');
    });

    test('usage counts objects and bytes below a prefix', async () => {
      await objects.put('raw/1', text('12345'));
      await objects.put('raw/2', text('12345'));
      await objects.put('other', text('1'));
      expect(await objects.usage('raw/')).toEqual({ objects: 2, bytes: 10 });
      expect(await objects.usage('')).toEqual({ objects: 3, bytes: 11 });
      expect(await objects.usage('none/')).toEqual({ objects: 0, bytes: 0 });
    });

    test.each([
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      '.hidden',
      'a/.b',
      'a\\b',
      'a\0b',
      'a b',
      'ü',
      'a~',
      'x'.repeat(600),
    ])('the key %j is refused by every verb', async (key) => {
      const refused = { code: 'REQUEST_INVALID', field: 'key' };
      await expect(objects.put(key, text('x'))).rejects.toMatchObject(refused);
      await expect(objects.get(key)).rejects.toMatchObject(refused);
      await expect(objects.head(key)).rejects.toMatchObject(refused);
      await expect(objects.remove(key)).rejects.toMatchObject(refused);
      await objects.put('ok', text('x'));
      await expect(objects.copy('ok', key)).rejects.toMatchObject(refused);
    });

    test('a presigned URL reads one object, whole or in part, until it expires', async () => {
      await objects.put('runs/r-1/mri brain.nii'.replace(' ', '_'), text('0123456789'));
      const url = await objects.presign('runs/r-1/mri_brain.nii', { expiresInSeconds: 60 });
      expect(await under.read(url)).toMatchObject({ status: 200, body: text('0123456789') });
      expect(await under.read(url, { range: 'bytes=2-4' })).toMatchObject({ status: 206, body: text('234') });
      expect((await under.read(url.replace('mri_brain', 'other'))).status).toBeGreaterThanOrEqual(400);
      expect((await under.read(url.replace(/[0-9a-f]{8}$/, '00000000'))).status).toBeGreaterThanOrEqual(400);
      expect((await under.read(url.split('?')[0] ?? '')).status).toBeGreaterThanOrEqual(400);
      under.advance(61_000);
      expect((await under.read(url)).status).toBeGreaterThanOrEqual(400);
    });
  });
}
