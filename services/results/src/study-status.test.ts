import { describe, expect, test } from 'vitest';
import type { FeatureSetRecord, RunRecord, StudyRecord } from './model.ts';
import { type Known, studyStatus } from './study-status.ts';

const study = (more: Partial<StudyRecord> = {}): StudyRecord => ({
  study_id: '17',
  study_uid: '1.2',
  patient_key: 'k',
  study_version: 'v',
  session_id: 's-1',
  session_date: '2024-01-15',
  state: 'ready',
  series: [],
  awaiting: [],
  retracted: null,
  version: 1,
  ...more,
});
const run = (run_id: string, more: Partial<RunRecord> = {}): RunRecord => ({
  run_id,
  pipeline: 'adni',
  patient_key: 'k',
  session_id: 's-1',
  session_date: '2024-01-15',
  session_version: 1,
  studies: [{ role: 't1', study_id: '17', study_uid: '1.2' }],
  status: 'completed',
  priority: 'normal',
  fraction: 1,
  seconds_left: null,
  tasks: [],
  qc_verdict: null,
  qc_reasons: [],
  error: null,
  seconds: null,
  trace_id: null,
  created_at: '2024-01-16T00:00:00.000Z',
  updated_at: '2024-01-16T00:00:00.000Z',
  version: 1,
  commands: 0,
  ...more,
});
const set: FeatureSetRecord = {
  feature_set_id: 'fs-1',
  patient_key: 'k',
  session_id: 's-1',
  session_date: '2024-01-15',
  version: 1,
  sequence: 1,
  qc_verdict: 'pass',
  mri: true,
  pet: false,
  withdrawn: false,
  study_ids: ['17'],
  stored_at: '2024-01-16T00:00:00.000Z',
};
const says = (known: Partial<Known>) => studyStatus('17', { studies: [study()], runs: [], sets: [], ...known })?.status;

describe('a study says', () => {
  test.each<[string, string | undefined, Partial<Known>]>([
    ['nothing before anything is known of it', undefined, {}],
    [
      'that it waits, whatever its earlier runs say',
      'waiting',
      { studies: [study({ state: 'waiting' })], runs: [run('r')] },
    ],
    ['what its run says', 'queued', { runs: [run('r', { status: 'created' })] }],
    ['that a completed run is in progress until its numbers are stored', 'in-progress', { runs: [run('r')] }],
    ['that it is completed once they are', 'completed', { runs: [run('r')], sets: [set] }],
    [
      'that a failed run failed, though earlier numbers stand',
      'failed',
      { runs: [run('r', { status: 'failed' })], sets: [set] },
    ],
    ['that its only run was called off', 'cancelled', { runs: [run('r', { status: 'cancelled' })] }],
    [
      'what it said before a later run was called off',
      'completed',
      { runs: [run('r'), run('q', { status: 'cancelled', session_version: 2 })], sets: [set] },
    ],
    [
      'what the run of the later session says, whatever the clocks say',
      'failed',
      {
        runs: [run('r', { status: 'failed', session_version: 2, created_at: '2024-01-01T00:00:00.000Z' }), run('q')],
        sets: [set],
      },
    ],
    [
      'that it is withdrawn, whatever else is known',
      'withdrawn',
      { studies: [study({ retracted: 'deleted' })], runs: [run('r')], sets: [set] },
    ],
    [
      'nothing of numbers that were withdrawn',
      'in-progress',
      { runs: [run('r')], sets: [{ ...set, withdrawn: true }] },
    ],
  ])('%s', (_, status, known) => {
    expect(says(known)).toBe(status);
  });

  test('nothing of a run that rests on a withdrawn study beside it', () => {
    const studies = [study(), study({ study_id: '18', retracted: 'entered-in-error' })];
    const both = run('q', {
      status: 'failed',
      session_version: 2,
      studies: [...run('r').studies, { role: 'pet', study_id: '18', study_uid: '1.3' }],
    });
    expect(says({ studies, runs: [run('r'), both], sets: [set] })).toBe('completed');
  });
});
