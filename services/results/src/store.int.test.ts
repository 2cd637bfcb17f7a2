import { events, makeEvent } from '@engram/contracts';
import { openRecords, type Records } from '@engram/records';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isOfTask } from './consume.ts';
import { countWritten, openStore, type ResultsStore, writtenResources } from './store.ts';

const at = new Date(0);
let records: Records;
let store: ResultsStore;
beforeEach(async () => {
  records = await openRecords('sqlite::memory:');
  store = openStore(records);
});
afterEach(() => records.close());

test('written resources are counted once each, however often their fact is said, in one record a fact', async () => {
  const forecast = { id: 'f-1', patientKey: 'p', at };
  await countWritten(store, forecast, ['Observation/1', 'Observation/2', 'Observation/1']);
  await countWritten(store, forecast, ['Observation/2', 'DiagnosticReport/1']);
  await countWritten(store, { ...forecast, id: 'f-2' }, ['Observation/3', 'Observation/4', 'Observation/5']);
  await countWritten(store, { id: 'Device/1', patientKey: null, at }, ['Device/1']);
  expect(await writtenResources(store)).toBe(7);
  expect(await store.written.count()).toBe(3);
});

test('a record of before counts as the one resource that it was', async () => {
  const { size: _size, ...before } = { patient_key: 'p', references: [], size: 0, at: '' };
  await records.collection<typeof before>({ name: 'results.written' }).insert('Observation/9', before);
  expect(await writtenResources(store)).toBe(1);
});

test('progress of a task is told from that of its run', () => {
  const { runProgressed } = events;
  const said = (task: string | null) =>
    makeEvent(runProgressed, {
      source: '/engram/preprocessing',
      subject: 'r-1',
      subjectVersion: 1,
      patientKey: 'abcdefghijklmnopqrstuvwxyz',
      time: at,
      data: { ...runProgressed.example, task },
    });
  expect([isOfTask(said('n4')), isOfTask(said(null)), isOfTask({ ...said('n4'), data: 'no object' })]).toEqual([
    true,
    false,
    false,
  ]);
});
