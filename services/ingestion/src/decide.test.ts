import { events } from '@engram/contracts';
import { describe, expect, test } from 'vitest';
import { decideRetraction, decideStudy } from './decide.ts';
import type { StudyRecord } from './model.ts';
import type { ObservedStudy } from './observe-study.ts';

const subject = { patient_key: 'abcdefghijklmnopqrstuvwxyz', patient_id: 'p', patient_reference: 'Patient/p' };
const rules = { quietMs: 60_000, lookAgainMs: 30_000 };
const observed: ObservedStudy = {
  study_id: 's1',
  study_uid: '1.2.3',
  study_version: 'v1',
  fingerprint: 'f1',
  series: [{ series_uid: '1.2.3.1', modality: 'MR', instances: 176, role: 't1', reason: 'MPRAGE' }],
  t1: {
    series_uid: '1.2.3.1',
    source: { kind: 'url', url: 'file:///a' },
    tracer: null,
    acquired: '2024-01-15',
    reason: 'MPRAGE',
  },
  pet: null,
  announced: 176,
  found: 176,
  unreachable: false,
  problem: null,
};
const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000);
const see = (current: StudyRecord | undefined, seconds: number, more: Partial<ObservedStudy> = {}) =>
  decideStudy(current, { ...observed, ...more }, subject, rules, at(seconds), null);
const typesOf = (decision: ReturnType<typeof see>) => decision?.events.map(({ type }) => type);

describe('a whole study', () => {
  const first = see(undefined, 0);
  test('is told at once, waits for quiet, and is ready a minute after its last change', () => {
    expect(first?.value).toMatchObject({
      state: 'waiting',
      version: 1,
      due_at: at(60).getTime(),
      awaiting: [{ what: 'quiet' }],
    });
    expect(typesOf(first)).toEqual([events.studyReceived.type]);
    const ready = see(first?.value, 60);
    expect(ready?.value).toMatchObject({ state: 'ready', version: 2, due_at: null, awaiting: [] });
  });

  test('seen again unchanged says nothing', () => {
    expect(see(first?.value, 10)).toBeUndefined();
    const ready = see(first?.value, 60)?.value;
    expect(see(ready, 61)).toBeUndefined();
    expect(see(ready, 100_000)).toBeUndefined();
  });

  test('described anew without another image, it is remembered but not told', () => {
    const ready = see(first?.value, 60)?.value;
    const decision = see(ready, 70, { fingerprint: 'f2' });
    expect([decision?.events, decision?.value.version, decision?.value.fingerprint]).toEqual([[], 2, 'f2']);
  });

  test('grown, its quiet begins anew and its session is kept meanwhile', () => {
    const ready = see(first?.value, 60)?.value;
    const placed = ready && { ...ready, session_id: 's-1', session_date: '2024-01-15' };
    const grown = see(placed, 100, { study_version: 'v2', announced: 200, found: 200 });
    expect(grown?.value).toMatchObject({ state: 'waiting', due_at: at(160).getTime(), session_id: 's-1', version: 3 });
  });
});

test('an incomplete study is looked at again, ever later, up to an hour', () => {
  let record = see(undefined, 0, { found: 100 })?.value;
  expect(record?.awaiting).toEqual([{ what: 'instances', why: '100 of 176 announced instances are there' }]);
  const pauses: number[] = [];
  for (let seconds = 0; pauses.length < 9; ) {
    pauses.push(((record?.due_at ?? 0) - at(seconds).getTime()) / 1000);
    seconds += pauses.at(-1) ?? 0;
    record = see(record, seconds, { found: 100 })?.value ?? record;
  }
  expect(pauses).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
});

test('an archive that never answers becomes a person’s matter, once', () => {
  let record = see(undefined, 0, { unreachable: true })?.value;
  const said: string[] = [];
  for (let i = 1; i < 20; i++) {
    const decision = see(record, i * 4000, { unreachable: true });
    said.push(...(typesOf(decision) ?? []));
    record = decision?.value ?? record;
  }
  expect(said.filter((type) => type === events.reviewRequested.type)).toHaveLength(1);
  expect(record?.problem?.code).toBe('UPSTREAM_FAILED');
});

test('a study without a usable image is told as unusable and never waited for', () => {
  const decision = see(undefined, 0, { t1: null, found: 0, announced: 10 });
  expect(decision?.value).toMatchObject({ state: 'unusable', due_at: null });
});

test('a problem asks for a person once, and again only when it is another', () => {
  const first = see(undefined, 0, { t1: null, problem: { code: 'URL_REFUSED', reason: 'a' } });
  expect(typesOf(first)).toEqual([events.studyReceived.type, events.reviewRequested.type]);
  expect(
    typesOf(see(first?.value, 1, { t1: null, fingerprint: 'f2', problem: { code: 'URL_REFUSED', reason: 'a' } })),
  ).toEqual([]);
  const other = see(first?.value, 2, { t1: null, problem: { code: 'STUDY_NO_IMAGES', reason: 'b' } });
  expect(typesOf(other)).toEqual([events.studyReceived.type, events.reviewRequested.type]);
});

test('a retraction is said once, with the session that it takes with it; a return is a later version', () => {
  const ready = see(see(undefined, 0)?.value, 60)?.value;
  const placed = ready && { ...ready, session_id: 's-1', session_date: '2024-01-15' };
  const gone = decideRetraction(placed, 'entered-in-error', at(70), null);
  expect(gone?.events.map(({ type, subjectversion, data }) => [type, subjectversion, data])).toEqual([
    [
      events.studyRetracted.type,
      3,
      {
        patient_key: subject.patient_key,
        study_id: 's1',
        study_uid: '1.2.3',
        session_id: 's-1',
        withdrawals: 1,
        why: 'entered-in-error',
      },
    ],
  ]);
  expect(decideRetraction(gone?.value, 'deleted', at(80), null)).toBeUndefined();
  expect(decideRetraction(undefined, 'deleted', at(80), null)).toBeUndefined();
  expect(see(gone?.value, 90)?.value).toMatchObject({
    retracted: null,
    withdrawals: 1,
    state: 'waiting',
    version: 4,
    session_id: null,
  });
});
