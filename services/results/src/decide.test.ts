import { type EngramEvent, events, makeEvent } from '@engram/contracts';
import { describe, expect, test } from 'vitest';
import {
  allows,
  type DataOf,
  decideEnded,
  decideFeatures,
  decideProgress,
  decideRetracted,
  decideStudy,
  typicalSeconds,
} from './decide.ts';
import type { RunRecord } from './model.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2024, 0, 15, 10, 0, seconds));
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const facts = (version: number) => ({
  source: '/engram/preprocessing',
  subject: 'r-1',
  subjectVersion: version,
  patientKey: 'abcdefghijklmnopqrstuvwxyz',
  time: at(version),
  traceparent,
});

const progress = (
  version: number,
  change: Partial<DataOf<'runProgressed'>> = {},
): EngramEvent<DataOf<'runProgressed'>> =>
  makeEvent(events.runProgressed, { ...facts(version), data: { ...events.runProgressed.example, ...change } });
const completed = (version: number): EngramEvent<DataOf<'runCompleted'>> =>
  makeEvent(events.runCompleted, { ...facts(version), data: events.runCompleted.example });
const failed = (version: number): EngramEvent<DataOf<'runFailed'>> =>
  makeEvent(events.runFailed, { ...facts(version), data: events.runFailed.example });

const given = (
  ...steps: readonly (
    | EngramEvent<DataOf<'runProgressed'>>
    | EngramEvent<DataOf<'runCompleted'>>
    | EngramEvent<DataOf<'runFailed'>>
  )[]
): RunRecord | undefined =>
  steps.reduce<RunRecord | undefined>(
    (run, event) =>
      (event.type === events.runProgressed.type
        ? decideProgress(run, event as EngramEvent<DataOf<'runProgressed'>>)
        : decideEnded(run, event as EngramEvent<DataOf<'runCompleted'>>)) ?? run,
    undefined,
  );

describe('the projection of a run', () => {
  test('the first progress makes it, with the trace of the notification', () => {
    const run = given(progress(1, { run_status: 'created', task: null, task_status: null, fraction: 0 }));
    expect(run).toMatchObject({
      status: 'created',
      tasks: [],
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      version: 1,
    });
  });

  test('an older progress that comes late changes nothing', () => {
    const run = given(progress(3, { fraction: 0.6 }), progress(2, { fraction: 0.3 }));
    expect(run?.fraction).toBe(0.6);
  });

  test('progress that comes after the end does not reopen it', () => {
    expect(given(completed(9), progress(8))).toMatchObject({ status: 'completed', fraction: 1, qc_verdict: 'pass' });
  });

  test('a retry reopens a failed run and clears its error', () => {
    const run = given(failed(5), progress(6, { run_status: 'executing' }));
    expect(run).toMatchObject({ status: 'executing', error: null });
  });

  test('the same end twice is one end', () => {
    const once = given(progress(1), completed(2));
    expect(decideEnded(once, completed(2))).toBeUndefined();
  });

  test('each task is listed once with its latest status', () => {
    const run = given(
      progress(1, { task: 'n4', task_status: 'running' }),
      progress(2, { task: 'n4', task_status: 'completed' }),
    );
    expect(run?.tasks).toEqual([{ name: 'n4', status: 'completed' }]);
  });
});

describe('commands', () => {
  test.each([
    ['cancel', 'executing', true],
    ['cancel', 'completed', false],
    ['retry', 'failed', true],
    ['retry', 'executing', false],
    ['prioritise', 'created', true],
    ['prioritise', 'cancelled', false],
  ] as const)('%s of a run that is %s: %s', (command, status, allowed) => {
    expect(allows(command, status)).toBe(allowed);
  });
});

describe('studies and feature sets', () => {
  const received = (version: number) =>
    makeEvent(events.studyReceived, { ...facts(version), subject: '17', data: events.studyReceived.example });
  const retracted = makeEvent(events.studyRetracted, {
    ...facts(2),
    subject: '17',
    data: events.studyRetracted.example,
  });

  test('a retracted study stays so against an older notice, and comes back with a newer one', () => {
    const gone = decideRetracted(decideStudy(undefined, received(1)), retracted);
    expect(gone?.retracted).toBe('entered-in-error');
    expect(decideStudy(gone, received(1))).toBeUndefined();
    expect(decideRetracted(decideStudy(gone, received(3)), retracted)).toBeUndefined();
    expect(decideStudy(gone, received(3))?.retracted).toBeNull();
  });

  test('a retraction of a study never heard of is kept', () => {
    expect(decideRetracted(undefined, retracted)).toMatchObject({ study_id: '17', state: 'retracted' });
  });

  test('an older version of a feature set does not replace a newer one', () => {
    const stored = (version: number) =>
      makeEvent(events.featuresStored, {
        ...facts(version),
        subject: 'fs-1',
        data: { ...events.featuresStored.example, version },
      });
    const second = decideFeatures(undefined, stored(2));
    expect(second?.version).toBe(2);
    expect(decideFeatures(second, stored(1))).toBeUndefined();
  });
});

test('the typical duration is the median, and unknown before the first run', () => {
  expect(typicalSeconds([])).toBeNull();
  expect(typicalSeconds([30, 10, 500])).toBe(30);
});
