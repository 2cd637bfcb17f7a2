import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candidate, SessionRecord, StudyRecord } from './model.ts';
import { decideSession, planSessions, sessionDateOf, sessionIdOf, withdrawSession } from './plan-sessions.ts';

const candidate = (id: string, acquired: string, tracer: string | null = null): Candidate => ({
  series_uid: `${id}.1`,
  source: { kind: 'url', url: 'file:///data/a.nii' },
  tracer,
  acquired,
  reason: '',
});

function study(
  id: string,
  images: { t1?: string; pet?: string; tracer?: string },
  more: Partial<StudyRecord> = {},
): StudyRecord {
  return {
    study_id: id,
    study_uid: `1.2.${id}`,
    patient_key: 'k',
    patient_id: 'p',
    patient_reference: 'Patient/p',
    study_version: 'v1',
    fingerprint: '',
    version: 1,
    series: [],
    t1: images.t1 === undefined ? null : candidate(id, images.t1),
    pet: images.pet === undefined ? null : candidate(id, images.pet, images.tracer ?? 'FBP'),
    state: 'ready',
    awaiting: [],
    problem: null,
    retracted: null,
    session_id: null,
    session_date: null,
    changed_at: 0,
    due_at: null,
    looks: 0,
    traceparent: null,
    ...more,
  };
}

/** `day: T1's study + PET's study` of each session. */
const pairs = (studies: readonly StudyRecord[]) =>
  planSessions(studies).sessions.map(
    ({ day, inputs }) => `${day}: ${inputs.map(({ study_id }) => study_id).join('+')}`,
  );

describe('pairing', () => {
  test.each([
    ['a T1 alone runs at once', [study('1', { t1: '2024-01-01' })], ['2024-01-01: 1']],
    ['both of one study', [study('1', { t1: '2024-01-01', pet: '2024-01-01' })], ['2024-01-01: 1+1']],
    [
      '180 days are near enough',
      [study('1', { t1: '2024-01-01' }), study('2', { pet: '2024-06-29' })],
      ['2024-01-01: 1+2'],
    ],
    ['181 days are not', [study('1', { t1: '2024-01-01' }), study('2', { pet: '2024-06-30' })], ['2024-01-01: 1']],
    ['a PET before its T1', [study('1', { t1: '2024-03-01' }), study('2', { pet: '2024-01-01' })], ['2024-03-01: 1+2']],
    [
      'the nearest T1 has it',
      [study('1', { t1: '2024-01-01' }), study('2', { t1: '2024-03-01' }), study('3', { pet: '2024-02-20' })],
      ['2024-01-01: 1', '2024-03-01: 2+3'],
    ],
    [
      'on a tie the earlier T1 has it',
      [study('1', { t1: '2024-01-21' }), study('2', { t1: '2024-01-01' }), study('3', { pet: '2024-01-11' })],
      ['2024-01-01: 2+3', '2024-01-21: 1'],
    ],
    [
      'a PET of the T1’s own study comes before a nearer one',
      [study('1', { t1: '2024-01-01', pet: '2024-01-03' }), study('2', { pet: '2024-01-01' })],
      ['2024-01-01: 1+1'],
    ],
    [
      'a known tracer comes before a nearer PET',
      [
        study('1', { t1: '2024-01-01' }),
        { ...study('2', { pet: '2024-01-02' }), pet: candidate('2', '2024-01-02', null) },
        study('3', { pet: '2024-02-02' }),
      ],
      ['2024-01-01: 1+3'],
    ],
    [
      'what is not ready or withdrawn does not count',
      [
        study('1', { t1: '2024-01-01' }, { state: 'retracted' }),
        study('2', { t1: '2024-02-01' }, { state: 'waiting' }),
      ],
      [],
    ],
  ])('%s', (_name, studies, wanted) => {
    expect(pairs(studies)).toEqual(wanted);
  });

  test('a PET without a T1 says what it waits for, and so does a T1 without a PET', () => {
    const { studies } = planSessions([study('1', { t1: '2020-01-01' }), study('2', { pet: '2024-01-01' })]);
    expect(
      studies.map(({ study_id, session_id, awaiting }) => [
        study_id,
        session_id !== null,
        awaiting.map(({ what }) => what),
      ]),
    ).toEqual([
      ['1', true, ['pet']],
      ['2', false, ['t1']],
    ]);
  });

  test('the order in which studies arrived does not matter', () => {
    const day = fc
      .integer({ min: 0, max: 400 })
      .map((n) => new Date(Date.UTC(2024, 0, 1) + n * 86_400_000).toISOString().slice(0, 10));
    const kind = fc.constantFrom<'t1' | 'pet' | 'both'>('t1', 'pet', 'both');
    const some = fc
      .array(fc.tuple(day, kind), { maxLength: 8 })
      .map((list) =>
        list.map(([date, what], i) => study(String(i), what === 'both' ? { t1: date, pet: date } : { [what]: date })),
      );
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 1000 }), (studies, seed) => {
        const shuffled = [...studies].sort(
          (a, b) => ((Number(a.study_id) * 7919 + seed) % 13) - ((Number(b.study_id) * 7919 + seed) % 13),
        );
        expect(planSessions(shuffled).sessions).toEqual(planSessions(studies).sessions);
        const used = planSessions(studies).sessions.flatMap(({ inputs }) =>
          inputs.filter(({ role }) => role === 'pet').map(({ study_id }) => study_id),
        );
        expect(new Set(used).size).toBe(used.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe('sessions', () => {
  const [planned] = planSessions([study('1', { t1: '2024-01-15' })]).sessions;
  if (!planned) throw new Error('one session was planned');
  const first = decideSession(undefined, planned, '2024-01-15');

  test('planned again unchanged, nothing is asked for; with a PET a run of the same session is', () => {
    expect(first?.isNewRun).toBe(true);
    expect(decideSession(first?.value, planned, '2024-01-15')).toBeUndefined();
    const [later] = planSessions([study('1', { t1: '2024-01-15' }), study('2', { pet: '2024-02-01' })]).sessions;
    const second = later && decideSession(first?.value, later, '2024-01-15');
    expect([second?.isNewRun, second?.value.session_id, second?.value.version]).toEqual([
      true,
      first?.value.session_id,
      2,
    ]);
    expect(second?.value.run_id).not.toBe(first?.value.run_id);
  });

  test('withdrawn once, and of the same inputs another run when it comes back', () => {
    const gone = first && withdrawSession(first.value);
    expect([gone?.state, gone?.inputs]).toEqual(['retracted', []]);
    expect(gone && withdrawSession(gone)).toBeUndefined();
    const [again] = planSessions([study('1', { t1: '2024-01-15' }, { withdrawals: 1 })]).sessions;
    const back = again && decideSession(gone, again, '2024-01-15');
    expect(back?.isNewRun).toBe(true);
    expect(back?.value.run_id).not.toBe(first?.value.run_id);
  });

  test('withdrawn by a plan on older studies, and planned again, ask for the run that there is', () => {
    const back = decideSession(first && withdrawSession(first.value), planned, '2024-01-15');
    expect(back?.value.run_id).toBe(first?.value.run_id);
  });

  test('a day’s second session is _2, its third _3, and a session keeps the name it has', () => {
    const named = (session_id: string, session_date: string) => ({ session_id, session_date }) as SessionRecord;
    const existing = [named('a', '2024-01-15'), named('b', '2024-01-15_2')];
    expect(sessionDateOf('2024-01-15', 'c', existing)).toBe('2024-01-15_3');
    expect(sessionDateOf('2024-01-15', 'b', existing)).toBe('2024-01-15_2');
    expect(sessionDateOf('2024-01-16', 'b', existing)).toBe('2024-01-16');
    expect(sessionIdOf('k', '1.2.1')).toMatch(/^s-[0-9a-f]{24}$/);
  });
});
