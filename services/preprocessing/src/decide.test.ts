import { PRIORITIES } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BACK_OFF_MS,
  type Change,
  decideClaimed,
  decideCommanded,
  decideCompleted,
  decideExecuting,
  decideFailed,
  decideHandedBack,
  decideInTurn,
  decideProgress,
  decideRequested,
  decideRetracted,
  isEarlier,
} from './decide.ts';
import { freshRun, PATIENT, requested, TIME } from './run.fixture.ts';
import type { Run, RunResult } from './run.ts';

const later = (ms: number) => new Date(TIME.getTime() + ms);
const types = (change: Change | undefined) => change?.events.map((event) => event.type);
const upstream = new EngramError('UPSTREAM_FAILED', 'the PACS did not answer');
const result: RunResult = {
  artifacts: [{ name: 'roi_features.json', key: 'runs/r-1/roi_features.json', sha256: '0'.repeat(64), bytes: 1 }],
  qc_verdict: 'pass',
  qc_reasons: [],
  durations: { n4: 1, total_s: 2 },
};

function must(change: Change | undefined): Run {
  if (!change) throw new Error('a change was expected');
  return change.value;
}

const executing = (): Run => must(decideExecuting(must(decideClaimed(freshRun(), TIME)), 1, TIME));
const command = (name: 'cancel' | 'retry' | 'prioritise', id = 'c-1') => ({
  run_id: 'r-1',
  patient_key: PATIENT,
  command_id: id,
  command:
    name === 'cancel'
      ? { name, reason: 'wrong patient' }
      : name === 'prioritise'
        ? { name, priority: 'urgent' as const }
        : { name },
});

describe('a request', () => {
  test('makes a run that waits for a worker and says so', () => {
    const change = decideRequested(undefined, requested('r-1', { priority: 'high' }), TIME);
    expect(change?.value).toMatchObject({ status: 'created', open: true, rank: 2, attempts: 0, version: 1 });
    expect(types(change)).toEqual(['run.progressed.v1']);
    expect(change?.events[0]).toMatchObject({ subject: 'r-1', subjectversion: 1, partitionkey: PATIENT });
  });

  test('that is repeated changes nothing, whatever became of the run', () => {
    for (const run of [freshRun(), executing()]) {
      expect(decideRequested(run, requested('r-1'), TIME)).toBeUndefined();
    }
  });
});

describe('the withdrawal of a study', () => {
  const [input] = requested('r-1').data.inputs;
  const resting = (withdrawals: number | undefined): Run =>
    freshRun('r-1', { inputs: input ? [{ ...input, withdrawals }] : [] });
  const first = { study_id: '17', why: 'entered-in-error', withdrawals: 1, at: TIME.toISOString() };

  test('cancels a run that chose its images before it, whatever the clocks say', () => {
    const change = decideRetracted(resting(0), { ...first, at: later(-9).toISOString() }, later(2));
    expect(change?.value).toMatchObject({ status: 'cancelled', open: false });
    expect(types(change)).toEqual(['run.cancelled.v1']);
    expect(decideRetracted(resting(1), { ...first, at: later(9).toISOString() }, TIME)).toBeUndefined();
    expect(decideRetracted(resting(1), { ...first, withdrawals: 2 }, TIME)).toBeDefined();
  });

  test('that was said before withdrawals were counted is judged by its time', () => {
    const { withdrawals: _, ...uncounted } = first;
    expect(decideRetracted(resting(undefined), { ...uncounted, at: later(1).toISOString() }, TIME)).toBeDefined();
    expect(decideRetracted(resting(undefined), { ...uncounted, at: later(-1).toISOString() }, TIME)).toBeUndefined();
  });

  test('leaves runs of other studies alone', () => {
    expect(decideRetracted(resting(0), { ...first, study_id: '99' }, TIME)).toBeUndefined();
  });
});

describe('a command', () => {
  test('cancel ends a run wherever it is; on an ended one it does nothing', () => {
    for (const run of [freshRun(), executing()]) {
      const change = decideCommanded(run, command('cancel'), TIME);
      expect(change?.value).toMatchObject({ status: 'cancelled', open: false, commands: ['c-1'] });
      expect(change?.events[0]).toMatchObject({ type: 'run.cancelled.v1', data: { reason: 'wrong patient' } });
      expect(decideCommanded(must(change), command('cancel', 'c-2'), TIME)).toBeUndefined();
    }
  });

  test('retry reopens a failed or cancelled run with all its tries; on an open one it does nothing', () => {
    const cancelled = must(decideCommanded(freshRun(), command('cancel'), TIME));
    const change = decideCommanded(cancelled, command('retry', 'c-2'), TIME);
    expect(change?.value).toMatchObject({ status: 'created', open: true, attempts: 0, not_before: 0, error: null });
    expect(change?.value.version).toBeGreaterThan(cancelled.version);
    expect(decideCommanded(freshRun(), command('retry'), TIME)).toBeUndefined();
    expect(decideCommanded(executing(), command('retry'), TIME)).toBeUndefined();
  });

  test('prioritise moves an open run in the queue', () => {
    const change = decideCommanded(freshRun(), command('prioritise'), TIME);
    expect(change?.value).toMatchObject({ priority: 'urgent', rank: PRIORITIES.indexOf('urgent') });
  });

  test('that was carried out is not carried out again', () => {
    const run = must(decideCommanded(freshRun(), command('prioritise'), TIME));
    expect(decideCommanded(run, command('prioritise'), TIME)).toBeUndefined();
  });
});

test('a retraction cancels open runs on that study that were asked for before it, and no others', () => {
  const retraction = { study_id: '17', why: 'deleted', at: later(10).toISOString() };
  expect(decideRetracted(executing(), retraction, TIME)?.value.status).toBe('cancelled');
  expect(decideRetracted(freshRun(), { ...retraction, study_id: '99' }, TIME)).toBeUndefined();
  expect(decideRetracted(freshRun(), { ...retraction, at: later(-10).toISOString() }, TIME)).toBeUndefined();
});

describe('failures', () => {
  test('what may pass waits 5 s, 1 min, 5 min, and then the run fails and asks for a review', () => {
    let run = freshRun();
    for (const wait of BACK_OFF_MS) {
      run = must(decideClaimed(run, TIME));
      const change = decideFailed(run, run.attempts, upstream, null, TIME);
      run = must(change);
      expect(run).toMatchObject({ status: 'created', open: true, not_before: TIME.getTime() + wait });
      expect(types(change)).toEqual(['run.progressed.v1']);
    }
    run = must(decideClaimed(run, TIME));
    const change = decideFailed(run, run.attempts, upstream, 'n4', TIME);
    expect(change?.value).toMatchObject({ status: 'failed', open: false });
    expect(types(change)).toEqual(['run.failed.v1', 'review.requested.v1']);
    expect(change?.events[0]?.data).toMatchObject({
      task: 'n4',
      error: { code: 'UPSTREAM_FAILED', retryable: true, attempts: 4 },
    });
  });

  test('unreadable input fails at once', () => {
    const run = executing();
    const change = decideFailed(run, 1, new EngramError('NIFTI_TRUNCATED', 't1.nii ends early'), 'import-t1', TIME);
    expect(change?.value.status).toBe('failed');
    expect(change?.events[0]?.data).toMatchObject({
      error: { code: 'NIFTI_TRUNCATED', retryable: false, attempts: 1 },
    });
  });

  test('a run whose workers die again and again is given up after four', () => {
    let run = freshRun();
    for (let death = 0; death < 4; death++) run = must(decideClaimed(run, TIME));
    const change = decideClaimed(run, TIME);
    expect(change?.value.status).toBe('failed');
    expect(change?.events[0]?.data).toMatchObject({ error: { code: 'RUN_ABANDONED', attempts: 4 } });
  });

  test('a process that shuts down costs no try', () => {
    const run = executing();
    const back = must(decideHandedBack(run, 1, TIME));
    expect(back).toMatchObject({ status: 'created', attempts: 0, open: true });
  });
});

describe('completion', () => {
  test('says artifacts, verdict and durations; anything but pass asks a person to look', () => {
    const run = executing();
    expect(types(decideCompleted(run, 1, result, TIME))).toEqual(['run.completed.v1']);
    const review = { ...result, qc_verdict: 'review' as const, qc_reasons: ['fell back to affine'] };
    const change = decideCompleted(run, 1, review, TIME);
    expect(types(change)).toEqual(['run.completed.v1', 'review.requested.v1']);
    expect(change?.events[1]?.data).toMatchObject({ code: 'QC_REVIEW', reason: 'fell back to affine', about: 'run' });
  });

  test('a worker that lost the run has no say any more', () => {
    const run = executing();
    const taken = must(decideClaimed(run, TIME));
    const cancelled = must(decideCommanded(run, command('cancel'), TIME));
    const task = { name: 'n4', status: 'running' as const, reused: false, seconds: 1 };
    for (const current of [taken, cancelled]) {
      expect(decideCompleted(current, 1, result, TIME)).toBeUndefined();
      expect(decideFailed(current, 1, upstream, null, TIME)).toBeUndefined();
      expect(decideExecuting(current, 1, TIME)).toBeUndefined();
      expect(decideHandedBack(current, 1, TIME)).toBeUndefined();
      expect(decideProgress(current, 1, { task, fraction: 0.5, secondsLeft: 1 }, TIME)).toBeUndefined();
    }
  });
});

// Any history whatever: the promises that others build on.
test('whatever happens to a run: versions grow by one an event, fractions stay in range, one end per opening', () => {
  const step = fc.constantFrom('claim', 'execute', 'progress', 'complete', 'fail', 'break', 'cancel', 'retry', 'stop');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let run = freshRun();
      let version = run.version;
      let ends = 0;
      let openings = 1;
      steps.forEach((name, i) => {
        const attempt = run.attempts;
        const task = { name: `t${i % 3}`, status: 'running' as const, reused: false, seconds: i };
        const change = {
          claim: () => decideClaimed(run, TIME),
          execute: () => decideExecuting(run, attempt, TIME),
          progress: () => decideProgress(run, attempt, { task, fraction: (i % 10) / 10, secondsLeft: null }, TIME),
          complete: () => decideCompleted(run, attempt, result, TIME),
          fail: () => decideFailed(run, attempt, upstream, null, TIME),
          break: () => decideFailed(run, attempt, new EngramError('NIFTI_INVALID', 'x'), null, TIME),
          cancel: () => decideCommanded(run, command('cancel', `c-${i}`), TIME),
          retry: () => decideCommanded(run, command('retry', `c-${i}`), TIME),
          stop: () => decideHandedBack(run, attempt, TIME),
        }[name]();
        if (!change) return;
        for (const event of change.events) expect(event.subjectversion).toBe(++version);
        expect(change.value.version).toBe(version);
        expect(change.value.open).toBe(!['completed', 'failed', 'cancelled'].includes(change.value.status));
        expect(change.value.attempts).toBeLessThanOrEqual(BACK_OFF_MS.length + 1);
        expect(change.value.fraction).toBeGreaterThanOrEqual(0);
        if (run.open && !change.value.open) ends++;
        if (!run.open && change.value.open) openings++;
        run = change.value;
      });
      expect(ends).toBe(run.open ? openings - 1 : openings);
    }),
    { numRuns: 2000 },
  );
});

describe('of two runs of one session', () => {
  const first = freshRun('r-b');
  const second: Run = { ...freshRun('r-a'), requested_at: later(1).toISOString() };

  test('the one asked for first goes first while it is open, and none of another session counts', () => {
    expect([isEarlier(first, second), isEarlier(second, first), isEarlier(first, first)]).toEqual([true, false, false]);
    expect(isEarlier({ ...first, open: false }, second)).toBe(false);
    expect(isEarlier({ ...first, session_id: 's-other' }, second)).toBe(false);
  });

  test('the one of the earlier version of the session goes first, whatever the clocks say', () => {
    const newer: Run = { ...first, session_version: 2 };
    expect([isEarlier(second, newer), isEarlier(newer, second)]).toEqual([true, false]);
  });

  test('the later one waits uncounted and unsaid', () => {
    const change = decideInTurn(second, TIME);
    expect(change?.events).toEqual([]);
    expect(must(change)).toMatchObject({ attempts: 0, version: second.version, not_before: TIME.getTime() + 5_000 });
  });
});
