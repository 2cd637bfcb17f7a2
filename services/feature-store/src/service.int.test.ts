import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, openBus, relayOutbox } from '@engram/bus';
import { events, makeEvent } from '@engram/contracts';
import { type Objects, openObjects } from '@engram/objects';
import { openRecords, type Records } from '@engram/records';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { featureSetId } from './decide.ts';
import { completedRun, featureDocument, PATIENT_KEY } from './feature-document.fixture.ts';
import { createFeatureStore, type Service } from './service.ts';

let folder: string;
let objects: Objects;
let records: Records;
let bus: Bus;
let service: Service;
let relay: AbortController;
let relaying: Promise<void>;
const ID = featureSetId(PATIENT_KEY, 's-1');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'feature-store-'));
  objects = await openObjects(`file://${folder}`);
  records = await openRecords('sqlite::memory:');
  bus = await openBus('sqlite::memory:');
  service = await createFeatureStore({ records, bus, objects });
  relay = new AbortController();
  relaying = relayOutbox({ records, bus, signal: relay.signal });
  await service.start();
});
afterEach(async () => {
  await service.stop();
  await service.app.close();
  relay.abort();
  await relaying;
  await bus.close();
  await records.close();
  await objects.close();
  await rm(folder, { recursive: true });
});

async function storeOne(): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(featureDocument()));
  const key = 'runs/r-1/roi_features.json';
  const { sha256 } = await objects.put(key, bytes);
  expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  const stored = Promise.withResolvers<void>();
  const heard = await bus.subscribe({
    group: 'test',
    types: [events.featuresStored.type],
    handler: async () => stored.resolve(),
  });
  await bus.publish([
    makeEvent(events.runCompleted, {
      source: '/engram/preprocessing',
      subject: 'r-1',
      subjectVersion: 1,
      patientKey: PATIENT_KEY,
      time: new Date(),
      data: completedRun({ artifacts: [{ name: 'roi_features.json', key, sha256, bytes: bytes.length }] }),
    }),
  ]);
  await stored.promise;
  await heard.close();
}

test('a completed run on the bus is readable over HTTP and said as features.stored', async () => {
  await storeOne();
  const list = await service.app.inject(`/api/v1/feature-sets?patient_key=${PATIENT_KEY}`);
  expect(list.json()).toMatchObject({
    feature_sets: [{ feature_set_id: ID, current: 1, versions: [{ usable: true, pet: false }] }],
  });
  const document = await service.app.inject(`/api/v1/feature-sets/${ID}/versions/1/features`);
  expect(document.json()).toEqual(featureDocument());
  const current = await service.app.inject(`/api/v1/sessions/${PATIENT_KEY}/2024-01-15/features`);
  expect(current.json()).toEqual(featureDocument());
});

test('files carry BIDS-Derivatives names on request', async () => {
  await storeOne();
  const files = await service.app.inject(`/api/v1/feature-sets/${ID}/versions/1/files?layout=bids`);
  expect(files.json()).toMatchObject({
    files: [
      {
        name: `sub-${PATIENT_KEY}/ses-20240115/anat/sub-${PATIENT_KEY}_ses-20240115_atlas-AAL_desc-roi_features.json`,
      },
    ],
    dataset_description: { DatasetType: 'derivative' },
  });
});

test('quality and storage are figures of what is in use', async () => {
  await storeOne();
  expect((await service.app.inject('/api/v1/quality')).json()).toMatchObject({
    feature_sets: 1,
    withdrawn: 0,
    verdict: { pass: 1, review: 0, fail: 0 },
  });
  // The view follows what was said.
  await vi.waitFor(async () =>
    expect((await service.app.inject('/api/v1/storage')).json()).toMatchObject({
      mode: 'all',
      preprocessed: { objects: 2 },
    }),
  );
});

test('what is not there is refused with its code', async () => {
  const missing = await service.app.inject('/api/v1/feature-sets/fs-none');
  expect([missing.statusCode, missing.json().code]).toEqual([404, 'FEATURE_SET_NOT_FOUND']);
  const wrong = await service.app.inject('/api/v1/feature-sets?patient_key=MRN12');
  expect([wrong.statusCode, wrong.json().code]).toEqual([400, 'REQUEST_INVALID']);
});
