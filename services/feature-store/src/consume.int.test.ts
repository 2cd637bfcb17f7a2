import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngramEvent, events, makeEvent, type RoiFeatures, sessionPrefix } from '@engram/contracts';
import { type Objects, openObjects } from '@engram/objects';
import { openRecords, type Records } from '@engram/records';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONSUMED, consume } from './consume.ts';
import { featureSetId } from './decide.ts';
import { completedRun, featureDocument, PATIENT_KEY, withPet } from './feature-document.fixture.ts';
import { openFeatureStore } from './store.ts';

let folder: string;
let objects: Objects;
let records: Records;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'feature-store-'));
  objects = await openObjects(`file://${folder}`);
  records = await openRecords('sqlite::memory:');
});
afterEach(async () => {
  await records.close();
  await objects.close();
  await rm(folder, { recursive: true });
});

const t1 = { role: 't1' as const, study_id: '17', study_uid: '1.2.840.1', study_version: 'a' };
const pet = { role: 'pet' as const, study_id: '18', study_uid: '1.2.840.2', study_version: 'b' };
const VIEW = sessionPrefix(PATIENT_KEY, '2024-01-15');
const ID = featureSetId(PATIENT_KEY, 's-1');
const deps = () => ({
  store: openFeatureStore(records),
  objects,
  storageMode: 'all' as const,
  now: () => new Date('2024-02-01T00:00:00Z'),
});

async function runEvent(runId: string, features: RoiFeatures, images: readonly string[], time: string) {
  const artifacts = [];
  for (const [name, text] of [
    ...images.map((image) => [image, `${runId} ${image}`]),
    ['roi_features.json', JSON.stringify(features)],
  ]) {
    const bytes = new TextEncoder().encode(text);
    const key = `runs/${runId}/${name}`;
    await objects.put(key, bytes);
    artifacts.push({
      name: name ?? '',
      key,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    });
  }
  return makeEvent(events.runCompleted, {
    source: '/engram/preprocessing',
    subject: runId,
    subjectVersion: 1,
    patientKey: PATIENT_KEY,
    time: new Date(time),
    data: completedRun({
      run_id: runId,
      session_version: Number(runId.slice(2)),
      artifacts,
      awaiting_pet: features.pet === null,
      studies: features.pet === null ? [t1] : [t1, pet],
    }),
  });
}

const retraction = (studyId: string): EngramEvent =>
  makeEvent(events.studyRetracted, {
    source: '/engram/ingestion',
    subject: studyId,
    subjectVersion: 2,
    patientKey: PATIENT_KEY,
    time: new Date('2024-02-01T00:00:00Z'),
    data: { ...events.studyRetracted.example, study_id: studyId },
  });

const text = async (key: string) => new TextDecoder().decode(await objects.get(key));

test('repeated and out-of-order runs leave one feature set whose view is the newest', async () => {
  const first = await runEvent('r-1', featureDocument(), ['mri_brain.nii.gz'], '2024-01-16T00:00:00Z');
  const second = await runEvent(
    'r-2',
    withPet('b'.repeat(64)),
    ['mri_brain.nii.gz', 'pet_suvr.nii.gz'],
    '2024-01-17T00:00:00Z',
  );
  for (const event of [first, first, second, first, second]) await consume(deps(), event);
  const set = await deps().store.read(ID);
  expect(set?.versions.map((version) => version.run_id)).toEqual(['r-1', 'r-2']);
  expect(set?.current).toBe(2);
  expect(await text(`${VIEW}mri_brain.nii.gz`)).toBe('r-2 mri_brain.nii.gz');
  expect(JSON.parse(await text(`${VIEW}roi_features.json`)).digest).toBe('b'.repeat(64));
  expect(await text(`${VIEW}versions/1/mri_brain.nii.gz`)).toBe('r-1 mri_brain.nii.gz');
  expect(JSON.parse(await text(`${VIEW}versions/1/roi_features.json`)).digest).toBe('a'.repeat(64));
  const collection = records.collections.find((each) => each.name === 'feature-store.feature-sets');
  const pending = await collection?.pendingEvents(10);
  expect(pending?.map(({ event }) => event.subjectversion)).toEqual([1, 2]);
});

test('the retraction of the T1 empties the view and keeps the versions; second time does no harm', async () => {
  await consume(deps(), await runEvent('r-1', featureDocument(), ['mri_brain.nii.gz'], '2024-01-16T00:00:00Z'));
  await consume(deps(), retraction('17'));
  await consume(deps(), retraction('17'));
  expect((await deps().store.read(ID))?.current).toBeNull();
  expect(await objects.head(`${VIEW}roi_features.json`)).toBeUndefined();
  expect(await objects.head(`${VIEW}versions/1/roi_features.json`)).toBeDefined();
});

test('a run that ends after its study was retracted is not stored', async () => {
  await consume(deps(), retraction('17'));
  await consume(deps(), await runEvent('r-1', featureDocument(), [], '2024-03-01T00:00:00Z'));
  expect(await deps().store.read(ID)).toBeUndefined();
});

test('the retraction of the PET brings the view of the T1 alone back', async () => {
  await consume(deps(), await runEvent('r-1', featureDocument(), ['mri_brain.nii.gz'], '2024-01-16T00:00:00Z'));
  await consume(deps(), await runEvent('r-2', withPet('b'.repeat(64)), ['pet_suvr.nii.gz'], '2024-01-17T00:00:00Z'));
  await consume(deps(), retraction('18'));
  expect(JSON.parse(await text(`${VIEW}roi_features.json`)).digest).toBe('a'.repeat(64));
  expect(await text(`${VIEW}mri_brain.nii.gz`)).toBe('r-1 mri_brain.nii.gz');
  expect(await objects.head(`${VIEW}pet_suvr.nii.gz`)).toBeUndefined();
});

test('a crash at any step of storing a version ends, redelivered, where an undisturbed one ends', async () => {
  const first = await runEvent('r-1', featureDocument(), ['mri_brain.nii.gz'], '2024-01-16T00:00:00Z');
  const second = await runEvent('r-2', withPet('b'.repeat(64)), ['mri_brain.nii.gz'], '2024-01-17T00:00:00Z');
  await consume(deps(), first);
  let crashes = 0;
  for (;;) {
    // Each life gets one step further than the last.
    let left = crashes;
    const orCrash = () => {
      if (left-- === 0) throw new Error('the process was killed');
    };
    const dying: Objects = {
      ...objects,
      copy: async (from, to) => {
        orCrash();
        return objects.copy(from, to);
      },
    };
    const { store } = deps();
    const change: typeof store.change = async (id, decide) => {
      orCrash();
      return store.change(id, decide);
    };
    try {
      await consume({ ...deps(), objects: dying, store: { ...store, change } }, second);
      break;
    } catch {
      crashes++;
    }
  }
  expect(crashes).toBeGreaterThan(2);
  expect((await deps().store.read(ID))?.versions.map((version) => version.run_id)).toEqual(['r-1', 'r-2']);
  expect(await text(`${VIEW}mri_brain.nii.gz`)).toBe('r-2 mri_brain.nii.gz');
  expect(JSON.parse(await text(`${VIEW}roi_features.json`)).digest).toBe('b'.repeat(64));
  expect(await text(`${VIEW}versions/1/mri_brain.nii.gz`)).toBe('r-1 mri_brain.nii.gz');
});

test('a feature document that does not fit its schema is refused by name and leaves nothing', async () => {
  const broken = await runEvent('r-1', { ...featureDocument(), mri_roi_features: [1] }, [], '2024-01-16T00:00:00Z');
  await expect(consume(deps(), broken)).rejects.toMatchObject({ code: 'EVENT_INVALID', field: 'mri_roi_features' });
  expect(await deps().store.read(ID)).toBeUndefined();
});

test('a withdrawal that crosses with the end of its run takes its features out of use', async () => {
  const ended = await runEvent('r-1', featureDocument(), ['mri_brain.nii.gz'], '2024-01-16T00:00:00Z');
  const { store } = deps();
  // The withdrawal comes to its end between the look for withdrawals and the write of the new version.
  const change: typeof store.change = async (id, decide) => {
    if (!(await store.read(id))) await consume(deps(), retraction('17'));
    return store.change(id, decide);
  };
  await consume({ ...deps(), store: { ...store, change } }, ended);
  expect((await store.read(ID))?.current).toBeNull();
  expect(await objects.head(`${VIEW}roi_features.json`)).toBeUndefined();
});

test('a failed run leaves the feature set as it is', async () => {
  await consume(deps(), await runEvent('r-1', featureDocument(), [], '2024-01-16T00:00:00Z'));
  const failed = makeEvent(events.runFailed, {
    source: '/engram/preprocessing',
    subject: 'r-9',
    subjectVersion: 1,
    patientKey: PATIENT_KEY,
    time: new Date(0),
    data: events.runFailed.example,
  });
  expect(CONSUMED).toContain(failed.type);
  await consume(deps(), failed);
  expect((await deps().store.read(ID))?.current).toBe(1);
});
