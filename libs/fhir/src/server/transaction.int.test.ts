import { openDatabase } from '@engram/records';
import type { Bundle, BundleEntry, ImagingStudy, Patient, Resource } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { RecordsRepository } from './repository.ts';
import { openFhirStore } from './store.ts';
import { runBundle } from './transaction.ts';

const SYSTEM = 'https://engram.dev/test';

function open() {
  const store = openFhirStore(openDatabase('sqlite::memory:'));
  const repository = new RecordsRepository(store, () => 'http://127.0.0.1/fhir');
  const run = (type: 'batch' | 'transaction', entry: BundleEntry[]): Bundle =>
    runBundle(store, repository, { resourceType: 'Bundle', type, entry });
  return { store, repository, run };
}

const patient = (value: string, more: Partial<Patient> = {}): Patient => ({
  resourceType: 'Patient',
  identifier: [{ system: SYSTEM, value }],
  ...more,
});
const put = (resource: Resource, url: string, more: object = {}): BundleEntry => ({
  resource,
  request: { method: 'PUT', url, ...more },
});
const post = (resource: Resource, more: object = {}): BundleEntry => ({
  resource,
  request: { method: 'POST', url: resource.resourceType, ...more },
});
const study = (reference: string): ImagingStudy => ({
  resourceType: 'ImagingStudy',
  status: 'available',
  subject: { reference },
});
const statuses = ({ entry }: Bundle) => entry?.map(({ response }) => response?.status);

test('a hundred conditional updates are one step, and the same again changes nothing', () => {
  const { store, run } = open();
  const all = Array.from({ length: 100 }, (_, n) => put(patient(`n${n}`), `Patient?identifier=${SYSTEM}|n${n}`));
  expect(new Set(statuses(run('transaction', structuredClone(all))))).toEqual(new Set(['201']));
  expect(new Set(statuses(run('transaction', all)))).toEqual(new Set(['200']));
  expect(store.count('Patient')).toBe(100);
  expect([...store.all('Patient')].every(({ meta }) => meta?.versionId === '1')).toBe(true);
});

test('what fails late leaves memory, disk and indexes as they were', () => {
  const { store, run } = open();
  run('transaction', [put({ ...patient('a', { gender: 'female' }), id: 'p1' }, 'Patient/p1')]);
  const failing = [
    put({ ...patient('b', { gender: 'male' }), id: 'p1' }, 'Patient/p1'),
    post(study('Patient/p1')),
    { request: { method: 'GET' as const, url: 'Patient/none' } },
  ];
  expect(() => run('transaction', failing)).toThrow();
  expect(store.read('Patient', 'p1')).toMatchObject({ gender: 'female', meta: { versionId: '1' } });
  expect([store.identifiedBy('a').size, store.identifiedBy('b').size]).toEqual([1, 0]);
  expect(store.versions('Patient', 'p1')).toHaveLength(1);
  expect(store.holdersOf('Patient/p1').size).toBe(0);
});

test('an entry refers to another by urn:uuid or by a condition, whatever their order', () => {
  const { store, run } = open();
  run('transaction', [put({ ...patient('a'), id: 'p1' }, 'Patient/p1')]);
  run('transaction', [
    post(study('urn:uuid:9e2f7a3b-94df-4b3d-bee2-360881649fa5')),
    { ...post(patient('c')), fullUrl: 'urn:uuid:9e2f7a3b-94df-4b3d-bee2-360881649fa5' },
    post(study(`Patient?identifier=${SYSTEM}|a`)),
  ]);
  const made = [...store.all('Patient')].find(({ id }) => id !== 'p1');
  const subjects = [...store.all('ImagingStudy')].map((one) => (one as ImagingStudy).subject.reference);
  expect(new Set(subjects)).toEqual(new Set(['Patient/p1', `Patient/${made?.id}`]));
  expect(() => run('transaction', [post(study(`Patient?identifier=${SYSTEM}|nobody`))])).toThrow();
});

test('two entries that change one resource are refused, since their order would be chance', () => {
  const { run, store } = open();
  const twice = [put({ ...patient('a'), id: 'p1' }, 'Patient/p1'), put({ ...patient('b'), id: 'p1' }, 'Patient/p1')];
  expect(() => run('transaction', twice)).toThrow();
  expect(store.count('Patient')).toBe(0);
});

test('an old If-Match undoes the whole; a condition met by an existing resource creates none', () => {
  const { run, store } = open();
  run('transaction', [put({ ...patient('a'), id: 'p1' }, 'Patient/p1')]);
  const late = [
    post(patient('z')),
    put({ ...patient('a', { gender: 'male' }), id: 'p1' }, 'Patient/p1', { ifMatch: 'W/"7"' }),
  ];
  expect(() => run('transaction', late)).toThrow();
  const answer = run('transaction', [post(patient('a'), { ifNoneExist: `identifier=${SYSTEM}|a` })]);
  expect([statuses(answer), answer.entry?.[0]?.resource?.id, store.count('Patient')]).toEqual([['200'], 'p1', 1]);
});

test('a batch’s entries stand each for itself', () => {
  const { run, store } = open();
  const mixed = [
    post(patient('a')),
    post({ ...study('Patient/1'), status: 'nope' as ImagingStudy['status'] }),
    { request: { method: 'GET' as const, url: 'Patient/none' } },
  ];
  expect(statuses(run('batch', mixed))).toEqual(['201', '400', '404']);
  expect(store.count('Patient')).toBe(1);
});
