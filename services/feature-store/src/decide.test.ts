import { describe, expect, test } from 'vitest';
import { artifactsToKeep, type CompletedRun, decideCompleted, decideRetracted } from './decide.ts';
import { completedRun, featureDocument, PATIENT_KEY, withPet } from './feature-document.fixture.ts';
import type { FeatureSet } from './feature-set.ts';

const now = new Date('2024-02-01T00:00:00Z');
const t1 = { role: 't1' as const, study_id: '17', study_uid: '1.2.840.1', study_version: 'a' };
const pet = { role: 'pet' as const, study_id: '18', study_uid: '1.2.840.2', study_version: 'b' };

const artifacts = [
  { name: 'roi_features.json', key: 'runs/r-mri/0/roi_features.json', sha256: '0'.repeat(64), bytes: 1 },
];
const withdrawal = (study_id: string, withdrawals = 1) => ({
  patient_key: PATIENT_KEY,
  study_id,
  why: 'entered-in-error',
  withdrawals,
  at: '2024-01-01T00:00:00.000Z',
});

const mri: CompletedRun = {
  run: completedRun({ run_id: 'r-mri', session_version: 1, artifacts }),
  endedAt: '2024-01-16T09:00:00.000Z',
  features: featureDocument(),
};
const both: CompletedRun = {
  run: completedRun({ run_id: 'r-both', session_version: 2, awaiting_pet: false, studies: [t1, pet] }),
  endedAt: '2024-01-20T09:00:00.000Z',
  features: withPet('b'.repeat(64)),
};

/** Given earlier runs, the feature set they make. */
function given(...runs: CompletedRun[]): FeatureSet {
  let set: FeatureSet | undefined;
  for (const run of runs) {
    const decision = decideCompleted(set, run, [], 'all', now);
    if (decision.kind === 'store') set = decision.change.value;
  }
  if (!set) throw new Error('no run was stored');
  return set;
}

describe('a completed run', () => {
  test('makes version 1 with PET still awaited', () => {
    const decision = decideCompleted(undefined, mri, [], 'all', now);
    expect(decision.kind).toBe('store');
    if (decision.kind === 'store') {
      expect(decision.change.value.versions).toMatchObject([{ version: 1, pet: false, awaiting_pet: true }]);
      expect(decision.change.events).toHaveLength(1);
      expect(decision.change.events[0]).toMatchObject({ type: 'features.stored.v1', subjectversion: 1 });
    }
  });

  test('with PET makes version 2 and version 1 stays readable', () => {
    const set = given(mri, both);
    expect(set.current).toBe(2);
    expect(set.versions.map((version) => version.pet)).toEqual([false, true]);
    expect(set.versions[0]?.features_key).toBe('runs/r-mri/0/roi_features.json');
  });

  test('said twice changes nothing, also after a newer version', () => {
    expect(decideCompleted(given(mri), mri, [], 'all', now)).toEqual({ kind: 'ignore', why: 'repeat' });
    expect(decideCompleted(given(mri, both), mri, [], 'all', now)).toEqual({ kind: 'ignore', why: 'repeat' });
  });

  test('with equal numbers is no new version, whatever its timestamps', () => {
    const again = {
      ...mri,
      run: { ...mri.run, run_id: 'r-again' },
      endedAt: '2024-03-01T00:00:00.000Z',
      features: featureDocument({ preprocessing_timestamp: '2024-03-01T00:00:00.000Z' }),
    };
    expect(decideCompleted(given(mri), again, [], 'all', now)).toEqual({ kind: 'ignore', why: 'unchanged' });
  });

  test('of an earlier session is kept, unsaid, below the version in use, whatever the clocks say', () => {
    const late = { ...mri, endedAt: '2024-03-01T00:00:00.000Z' };
    const decision = decideCompleted(given(both), late, [], 'all', now);
    expect(decision).toMatchObject({ kind: 'store', change: { value: { current: 1, sequence: 1 }, events: [] } });
    const withdrawn =
      decision.kind === 'store' ? decideRetracted(decision.change.value, withdrawal('18'), now) : undefined;
    expect(withdrawn?.value.current).toBe(2);
  });

  test('of a retracted study is not stored, unless it chose its images after the retraction', () => {
    const retraction = withdrawal('17');
    expect(decideCompleted(undefined, mri, [retraction], 'all', now)).toEqual({ kind: 'ignore', why: 'retracted' });
    const later = { ...mri, run: { ...mri.run, studies: [{ ...t1, withdrawals: 1 }] } };
    expect(decideCompleted(undefined, later, [retraction], 'all', now).kind).toBe('store');
    const uncounted = { ...retraction, withdrawals: undefined };
    expect(decideCompleted(undefined, mri, [uncounted], 'all', now).kind).toBe('store');
    expect(decideCompleted(undefined, mri, [{ ...uncounted, at: mri.endedAt }], 'all', now).kind).toBe('ignore');
  });
});

describe('a retracted study', () => {
  test('that all versions rest on withdraws the feature set once', () => {
    const change = decideRetracted(given(mri), withdrawal('17'), now);
    expect(change?.value.current).toBeNull();
    expect(change?.events[0]).toMatchObject({ subjectversion: 2, data: { withdrawn: true } });
    expect(change && decideRetracted(change.value, withdrawal('17'), now)).toBeUndefined();
  });

  test('that only the PET came from brings the version without it back', () => {
    const change = decideRetracted(given(mri, both), withdrawal('18'), now);
    expect(change?.value.current).toBe(1);
    expect(change?.events[0]).toMatchObject({ data: { version: 1, withdrawn: false, pet: false } });
  });

  test('that came back and made a new version takes only what was chosen before it', () => {
    const gone = decideRetracted(given(mri), withdrawal('17'), now);
    const back = {
      ...mri,
      run: { ...mri.run, run_id: 'r-back', session_version: 3, studies: [{ ...t1, withdrawals: 1 }] },
    };
    const decision = decideCompleted(gone?.value, back, [withdrawal('17')], 'all', now);
    const set = decision.kind === 'store' ? decision.change.value : undefined;
    expect(set?.current).toBe(2);
    expect(set && decideRetracted(set, withdrawal('17'), now)).toBeUndefined();
    expect(set && decideRetracted(set, withdrawal('17', 2), now)?.value.current).toBeNull();
  });

  test('of another session changes nothing', () => {
    expect(decideRetracted(given(mri), withdrawal('99'), now)).toBeUndefined();
  });
});

test('roi_features.json is kept in every mode and written last', () => {
  const artifacts = ['roi_features.json', 'mri_brain.nii.gz'].map((name) => ({
    name,
    key: name,
    sha256: '0'.repeat(64),
    bytes: 1,
  }));
  expect(artifactsToKeep(artifacts, 'all').map((artifact) => artifact.name)).toEqual([
    'mri_brain.nii.gz',
    'roi_features.json',
  ]);
  expect(artifactsToKeep(artifacts, 'features-only').map((artifact) => artifact.name)).toEqual(['roi_features.json']);
});
