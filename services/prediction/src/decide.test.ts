import { describe, expect, test } from 'vitest';
import { type Decision, decideForecast, monthsAfter } from './decide.ts';
import { inputs, NOW, session } from './patient.fixture.ts';

function supported(decision: Decision) {
  if (decision.kind !== 'supported') throw new Error(`${decision.kind}: ${decision.reason}`);
  return decision.inputs;
}
const codes = (decision: Decision): string[] => supported(decision).warnings.map((warning) => warning.code);

describe('given scores and a session', () => {
  test('horizons count from the latest measured input', () => {
    const { indexDate, history } = supported(decideForecast(inputs, [session()], NOW));
    expect(indexDate).toBe('2024-05-01');
    expect(history.ageYears).toBe(74);
    expect(history.mri[0]?.years).toBeCloseTo(0);
    expect(history.scores.find(({ value }) => value === 24)?.years).toBeCloseTo(-30 / 365.25, 3);
    expect(supported(decideForecast(inputs, [], NOW)).indexDate).toBe('2024-04-01');
  });

  test('equal inputs have one digest, whatever the order and the day of asking', () => {
    const later = new Date('2024-07-01T00:00:00Z');
    const two = [session(), session({ feature_set_id: 'fs-2', session_date: '2023-05-01' })];
    const a = supported(decideForecast(inputs, two, NOW)).digest;
    expect(supported(decideForecast(inputs, two.toReversed(), later)).digest).toBe(a);
    expect(supported(decideForecast(inputs, [session({ version: 2 })], NOW)).digest).not.toBe(a);
  });

  test('a session that failed quality control is masked and said', () => {
    const decision = decideForecast(inputs, [session({ qc_verdict: 'fail', mri: null, pet: null })], NOW);
    expect(supported(decision).sessions[0]?.used).toBe(false);
    expect(codes(decision)).toEqual(['QC_FAILED', 'NO_IMAGING']);
    expect(supported(decision).history.mri).toEqual([]);
  });

  test('one failed session leaves the other in use', () => {
    const failed = session({ feature_set_id: 'fs-2', session_date: '2023-05-01', qc_verdict: 'fail' });
    const { sessions, missing } = supported(decideForecast(inputs, [failed, session()], NOW));
    expect(sessions.map(({ used }) => used)).toEqual([false, true]);
    expect(missing).toContain('session 2023-05-01');
  });

  test('an unknown tracer is masked, its MRI is not', () => {
    const decision = decideForecast(inputs, [session({ pet: { kind: 'unknown', groups: [] } })], NOW);
    expect(codes(decision)).toContain('TRACER_UNKNOWN');
    const { history, sessions } = supported(decision);
    expect([history.amyloid.length, history.fdg.length, history.mri.length]).toEqual([0, 0, 1]);
    expect(sessions[0]?.used).toBe(true);
  });

  test('volumes far outside what the model knows are masked and said', () => {
    const decision = decideForecast(inputs, [session({ mri: new Array<number>(12).fill(2), pet: null })], NOW);
    expect(codes(decision)).toContain('MRI_OUT_OF_RANGE');
    expect(supported(decision).history.mri).toEqual([]);
  });

  test('a withdrawn session takes no part and is not listed', () => {
    expect(supported(decideForecast(inputs, [session({ withdrawn: true })], NOW)).sessions).toEqual([]);
  });

  test('a score dated after today is left out and said', () => {
    const future = { ...inputs, scores: [...inputs.scores, { ...inputs.scores[0]!, date: '2030-01-01' }] };
    const decision = decideForecast(future, [], NOW);
    expect(codes(decision)).toContain('SCORE_IN_FUTURE');
    expect(supported(decision).indexDate).toBe('2024-04-01');
  });
});

describe('no forecast', () => {
  test('without any score, whatever the images', () => {
    expect(decideForecast({ ...inputs, scores: [] }, [session()], NOW)).toMatchObject({
      kind: 'refused',
      code: 'FORECAST_NO_SCORES',
    });
  });

  test.each([
    ['2025-04-01', []],
    ['2025-04-02', ['INDEX_OLD']],
    ['2026-04-01', ['INDEX_OLD']],
  ])('but on %s an index of 2024-04-01 is answered with %j', (day, expected) => {
    const decision = decideForecast(inputs, [], new Date(`${day}T00:00:00Z`));
    expect(codes(decision).filter((code) => code === 'INDEX_OLD')).toEqual(expected);
  });

  test('when the latest input is older than 24 months', () => {
    expect(decideForecast(inputs, [], new Date('2026-04-02T00:00:00Z'))).toMatchObject({ code: 'FORECAST_STALE' });
  });

  test.each([
    ['in-progress', '2024-01-01T00:00:00Z', 'pending'],
    ['queued', '2024-01-01T00:00:00Z', 'pending'],
    [null, '2024-06-01T00:00:00Z', 'pending'],
    [null, '2024-05-01T00:00:00Z', 'supported'],
    ['waiting', '2024-05-01T00:00:00Z', 'supported'],
    ['failed', '2024-06-01T00:00:00Z', 'supported'],
    ['completed', '2024-06-01T00:00:00Z', 'supported'],
  ] as const)('is made while the only study is %s since %s: %s', (status, updated_at, kind) => {
    const studies = [{ study_id: '17', status, updated_at }];
    expect(decideForecast({ ...inputs, studies }, [], NOW).kind).toBe(kind);
  });

  test('is held back by a second study: the first one’s features are used and the rest is said', () => {
    const studies = [{ study_id: '18', status: 'in-progress' as const, updated_at: null }];
    expect(codes(decideForecast({ ...inputs, studies }, [session()], NOW))).toContain('SESSION_IN_PROGRESS');
  });

  test('is not held back by a study whose features are here, though the server still calls it in progress', () => {
    const studies = [{ study_id: '17', status: 'in-progress' as const, updated_at: null }];
    expect(codes(decideForecast({ ...inputs, studies }, [session()], NOW))).not.toContain('SESSION_IN_PROGRESS');
    const withdrawn = decideForecast({ ...inputs, studies }, [session({ withdrawn: true })], NOW);
    expect(withdrawn.kind).toBe('pending');
  });
});

test('months after a date end at the last day of a shorter month', () => {
  expect([monthsAfter('2024-08-31', 6), monthsAfter('2023-08-31', 6), monthsAfter('2024-01-15', 60)]).toEqual([
    '2025-02-28',
    '2024-02-29',
    '2029-01-15',
  ]);
});
