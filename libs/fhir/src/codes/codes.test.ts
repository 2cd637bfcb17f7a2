import { AI_ASSERTED, FHIR_URLS, SCORES } from '@engram/contracts';
import type { Observation } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { loincIsValid, snomedIsValid } from './check-digit.ts';
import { APOE_CODES, ageOn, EDUCATION_CODES, e4Alleles, readDemographics } from './read-demographics.ts';
import { readScores, type ScoreWarning } from './read-scores.ts';
import { LOINC, MISUSED_CODES, predictedCode, SCORE_DEFINITIONS, SNOMED, scoreConcept } from './score-codes.ts';

const shipped = [
  ...Object.values(SCORE_DEFINITIONS).flatMap(({ codings, aliases }) => [...codings, ...aliases]),
  ...EDUCATION_CODES,
  ...APOE_CODES,
];

describe('check digits', () => {
  test.each(shipped.filter(({ system }) => system === LOINC).map(({ code }) => code ?? ''))(
    'LOINC %s is sound',
    (code) => {
      expect(loincIsValid(code)).toBe(true);
    },
  );
  test.each(shipped.filter(({ system }) => system === SNOMED).map(({ code }) => code ?? ''))(
    'SNOMED CT %s is sound',
    (code) => {
      expect(snomedIsValid(code)).toBe(true);
    },
  );
  test('one wrong digit or two exchanged ones are caught', () => {
    expect(['54629-3', '72106-7', '72016-8', '72106', ''].map(loincIsValid)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(['447316008', '447361007', '44731600', ''].map(snomedIsValid)).toEqual([false, false, false, false]);
  });
});

const observation = (code: Observation['code'], value: number, more: Partial<Observation> = {}): Observation => ({
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code,
  effectiveDateTime: '2024-01-15T23:30:00-08:00',
  valueQuantity: { value, system: 'http://unitsofmeasure.org', code: '{score}' },
  ...more,
});
const loinc = (code: string) => ({ coding: [{ system: LOINC, code }] });
const own = (code: string) => ({ coding: [{ system: FHIR_URLS.scores, code }] });

describe('readScores', () => {
  test.each(SCORES)('%s is read back from the concept it is written with', (score) => {
    expect(readScores([observation(scoreConcept(score), 2)])).toEqual([
      {
        score,
        value: 2,
        date: '2024-01-15',
        reference: 'Observation/o1',
        code: expect.stringContaining(FHIR_URLS.scores),
      },
    ]);
  });

  test('LOINC 72106-8 alone is an MMSE', () => {
    expect(readScores([observation(loinc('72106-8'), 27)])).toMatchObject([{ score: 'mmse', value: 27 }]);
  });

  test('BIMS recall is no CDR and an impossible LOINC no ADAS-Cog, unless an operator insists, and then with a warning', () => {
    const wrong = MISUSED_CODES.map(({ coding }, i) => observation({ coding: [coding] }, 1, { id: `w${i}` }));
    expect(readScores(wrong)).toEqual([]);
    const warnings: ScoreWarning[] = [];
    const read = readScores(wrong, { acceptMisused: true, warn: (w) => warnings.push(w) });
    expect(read.map(({ score }) => score)).toEqual(['cdr_global', 'adas_cog']);
    expect(warnings.map(({ code }) => code)).toEqual(['SCORE_CODE_MISUSED', 'SCORE_CODE_MISUSED']);
  });

  test('ADAS-Cog 11, an ADAS of unknown version and a MoCA are never ADAS-Cog 13 or MMSE', () => {
    const others = [
      own('adas-cog-11'),
      { coding: [{ system: SNOMED, code: '714360001' }] },
      loinc('72172-0'),
      loinc('72133-2'),
    ];
    expect(readScores(others.map((code) => observation(code, 20)))).toEqual([]);
  });

  test('a sum of boxes with the CDR panel’s LOINC beside it stays a sum of boxes', () => {
    const code = {
      coding: [
        { system: LOINC, code: '72088-8' },
        { system: FHIR_URLS.scores, code: 'cdr-sb' },
      ],
    };
    expect(readScores([observation(code, 4.5)])).toMatchObject([{ score: 'cdr_sob', value: 4.5 }]);
  });

  test('components of one Observation give one score each', () => {
    const { valueQuantity: _, ...panel } = observation(loinc('72088-8'), 0);
    const component = [
      { code: own('cdr-global'), valueQuantity: { value: 0.5 } },
      { code: own('cdr-sb'), valueQuantity: { value: 3 } },
    ];
    expect(readScores([{ ...panel, component }]).map(({ score, value }) => [score, value])).toEqual([
      ['cdr_global', 0.5],
      ['cdr_sob', 3],
    ]);
  });

  test('what an algorithm asserted is never a measurement', () => {
    const marked = observation(loinc('72106-8'), 20, { meta: { security: [{ ...AI_ASSERTED }] } });
    const both = observation({ coding: [predictedCode('mmse'), { system: LOINC, code: '72106-8' }] }, 20);
    expect(readScores([marked, both])).toEqual([]);
  });

  test.each(['entered-in-error', 'preliminary', 'registered', 'cancelled', 'unknown'] as const)(
    'status %s is left out',
    (status) => {
      expect(readScores([observation(loinc('72106-8'), 20, { status })])).toEqual([]);
    },
  );

  test.each([
    ['SCORE_OUT_OF_RANGE', observation(loinc('72106-8'), 31)],
    ['SCORE_OUT_OF_RANGE', observation(own('cdr-global'), 1.5)],
    [
      'SCORE_UNIT',
      observation(loinc('72106-8'), 20, {
        valueQuantity: { value: 20, system: 'http://unitsofmeasure.org', code: 'mm' },
      }),
    ],
    ['SCORE_VALUE', observation(loinc('72106-8'), 20, { valueQuantity: { value: 20, comparator: '<' } })],
    ['SCORE_DATE', observation(loinc('72106-8'), 20, { effectiveDateTime: '2024' })],
  ])('%s: left out, and said so', (code, wrong) => {
    const warnings: ScoreWarning[] = [];
    expect(readScores([wrong], { warn: (w) => warnings.push(w) })).toEqual([]);
    expect(warnings.map((w) => w.code)).toEqual([code]);
  });
});

describe('demographics', () => {
  test('age is counted in full years', () => {
    expect([ageOn('1950-06-15', '2024-06-14'), ageOn('1950-06-15', '2024-06-15'), ageOn('1950', '2024-12-31')]).toEqual(
      [73, 74, 74],
    );
    expect([ageOn('2030-01-01', '2024-01-01'), ageOn('', '2024-01-01')]).toEqual([null, null]);
  });
  test('e4 alleles are counted in the ways they are written', () => {
    expect(['e3/e4', 'APOE E4/E4', 'ε3/ε3', '2/4', 'unknown', 'e3'].map(e4Alleles)).toEqual([1, 2, 0, 1, null, null]);
  });
  test('what the server does not say is null, never a default', () => {
    expect(readDemographics({ resourceType: 'Patient', gender: 'unknown' }, [], '2024-01-01')).toEqual({
      ageYears: null,
      sex: null,
      educationYears: null,
      apoe4: null,
    });
    const known = [
      observation({ coding: [...EDUCATION_CODES] }, 16, { valueQuantity: { value: 16, unit: 'years' } }),
      observation({ coding: [APOE_CODES[0] ?? {}] }, 0, { valueCodeableConcept: { text: 'e3/e4' } }),
    ];
    const patient = { resourceType: 'Patient', gender: 'female', birthDate: '1950-06-15' } as const;
    expect(readDemographics(patient, known, '2024-01-01')).toEqual({
      ageYears: 73,
      sex: 'female',
      educationYears: 16,
      apoe4: 1,
    });
  });
});
