/** Links to single files: given to those who hold the token, open to those who hold the link, for minutes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBus } from '@engram/bus';
import { loadConfig } from '@engram/config';
import { events, makeEvent } from '@engram/contracts';
import { type Objects, openObjects } from '@engram/objects';
import { openRecords, type Records } from '@engram/records';
import { objectUrls } from '@engram/service';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { consume } from './consume.ts';
import { featureSetId } from './decide.ts';
import { completedRun, featureDocument, PATIENT_KEY } from './feature-document.fixture.ts';
import { createFeatureStore, type Service } from './service.ts';
import { openFeatureStore } from './store.ts';

const TOKEN = 'a-token-of-the-test';
let folder: string;
let objects: Objects;
let records: Records;
let service: Service;
let close: () => Promise<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'feature-store-links-'));
  const urls = objectUrls(loadConfig({ env: {}, cwd: folder }));
  objects = await openObjects(`file://${folder}/objects`, urls);
  records = await openRecords('sqlite::memory:');
  const bus = await openBus('sqlite::memory:');
  service = await createFeatureStore({ records, bus, objects, token: TOKEN, objectUrlSecret: urls?.secret });
  close = async () => {
    await service.app.close();
    await bus.close();
    await records.close();
    await objects.close();
    await rm(folder, { recursive: true });
  };
});
afterEach(() => close());

const FILE = `/api/v1/feature-sets/${featureSetId(PATIENT_KEY, 's-1')}/versions/1/files/roi_features.json`;
const headers = { authorization: `Bearer ${TOKEN}` };

async function storeOne(): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(featureDocument()));
  const { key, sha256 } = await objects.put('runs/r-1/roi_features.json', bytes);
  const data = completedRun({ artifacts: [{ name: 'roi_features.json', key, sha256, bytes: bytes.length }] });
  const event = makeEvent(events.runCompleted, {
    source: '/engram/preprocessing',
    subject: 'r-1',
    subjectVersion: 1,
    patientKey: PATIENT_KEY,
    time: new Date(),
    data,
  });
  await consume({ store: openFeatureStore(records), objects, storageMode: 'all', now: () => new Date() }, event);
}

async function linkTo(path: string): Promise<URL> {
  const answer = await service.app.inject({ url: path, headers });
  expect(answer.statusCode).toBe(302);
  return new URL(String(answer.headers.location));
}

test('who holds the token gets a link, and who holds the link reads that file without one', async () => {
  await storeOne();
  const link = await linkTo(FILE);
  expect(link.origin).toBe('http://127.0.0.1:7013');
  const read = await service.app.inject(link.pathname + link.search);
  expect(read.json()).toEqual(featureDocument());
  const part = await service.app.inject({ url: link.pathname + link.search, headers: { range: 'bytes=0-0' } });
  expect([part.statusCode, part.body]).toEqual([206, '{']);
});

test('without the token there is no link, and without a right signature no file', async () => {
  await storeOne();
  expect((await service.app.inject(FILE)).statusCode).toBe(401);
  const { pathname, search } = await linkTo(FILE);
  expect((await service.app.inject(pathname)).statusCode).toBe(401);
  expect((await service.app.inject({ url: pathname, headers })).statusCode).toBe(401);
  expect((await service.app.inject(pathname + search.replace(/.$/, 'x'))).statusCode).toBe(401);
  expect((await service.app.inject(pathname.replace('roi_', 'other_') + search)).statusCode).toBe(401);
});

test('a link has run out after five minutes', async () => {
  await storeOne();
  const expires = Number((await linkTo(FILE)).searchParams.get('expires')) * 1000;
  expect(expires - Date.now()).toBeGreaterThan(290_000);
  expect(expires - Date.now()).toBeLessThanOrEqual(300_000);
});

test('a file that the version does not have, or that is gone, has no link', async () => {
  await storeOne();
  const unknown = await service.app.inject({ url: FILE.replace('roi_features', 'another'), headers });
  expect(unknown.json()).toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  for (const { key } of (await objects.list('runs/')).objects) await objects.remove(key);
  const gone = await service.app.inject({ url: FILE, headers });
  expect(gone.json()).toMatchObject({ code: 'OBJECT_NOT_FOUND' });
});
