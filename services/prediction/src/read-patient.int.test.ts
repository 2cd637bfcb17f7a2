/** Reading a patient from the embedded FHIR server, over HTTP, among Observations that must not be read as measured. */
import { AI_ASSERTED, FHIR_URLS } from '@engram/contracts';
import { type FhirClient, openFhir, predictedCode } from '@engram/fhir';
import { buildFhirServer } from '@engram/fhir/server';
import { guardedFetch, listen, parseAllowList } from '@engram/http';
import type { Observation } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mmse, NOW, PATIENT_KEY, patient, study } from './patient.fixture.ts';
import { readPatient } from './read-patient.ts';

let server: Awaited<ReturnType<typeof buildFhirServer>>;
let fhir: FhirClient;

const observation = (id: string, coding: { system: string; code: string }, value: number): Observation => ({
  ...mmse(id, value, '2024-04-01'),
  code: { coding: [coding] },
});

beforeAll(async () => {
  const fetch = guardedFetch({ allow: parseAllowList(['http://127.0.0.1']) });
  server = await buildFhirServer({ database: 'sqlite::memory:', fetch });
  const base = `${await listen(server, { port: 0 })}/fhir`;
  fhir = openFhir({ url: base, fetch: guardedFetch({ allow: parseAllowList([new URL(base).origin]) }) });
  await fhir.update({ ...patient, id: '1' });
  await fhir.update({ resourceType: 'Patient', id: '2' });
  const all: Observation[] = [
    mmse('a', 24, '2024-04-01'),
    mmse('b', 26, '2023-04-01'),
    observation('global', { system: FHIR_URLS.scores, code: 'cdr-global' }, 0.5),
    observation('boxes', { system: FHIR_URLS.scores, code: 'cdr-sb' }, 2.5),
    observation('bims', { system: 'http://loinc.org', code: '52493-4' }, 2),
    observation('adas-11', { system: FHIR_URLS.scores, code: 'adas-cog-11' }, 14),
    { ...observation('education', { system: 'http://loinc.org', code: '82590-1' }, 14), valueQuantity: { value: 14 } },
    { ...mmse('error', 3, '2024-05-01'), status: 'entered-in-error' },
    { ...mmse('ours', 11, '2024-05-01'), meta: { security: [{ ...AI_ASSERTED }] } },
    { ...observation('predicted', { system: '', code: '' }, 12), code: { coding: [predictedCode('mmse')] } },
    { ...mmse('other', 5, '2024-05-01'), subject: { reference: 'Patient/2' } },
  ];
  for (const each of all) await fhir.update({ ...each, id: each.id ?? '' });
  const { id: _id, ...running } = study('', 'in-progress', NOW.toISOString());
  await fhir.create(running);
});
afterAll(() => server.close());

test('finds the measured scores, education, and where preprocessing stands; never a forecast or another’s score', async () => {
  const inputs = await readPatient(fhir, '1', PATIENT_KEY, { now: NOW });
  expect(inputs?.scores.map(({ score, value, date }) => [score, value, date])).toEqual([
    ['mmse', 26, '2023-04-01'],
    ['mmse', 24, '2024-04-01'],
    ['cdr_sob', 2.5, '2024-04-01'],
    ['cdr_global', 0.5, '2024-04-01'],
  ]);
  expect(inputs).toMatchObject({ birth_date: '1950-03-01', sex: 'female', education_years: 14, apoe4: null });
  expect(inputs?.studies.map(({ status }) => status)).toEqual(['in-progress']);
});

test('reads the misused codes only on request, with a warning', async () => {
  const inputs = await readPatient(fhir, '1', PATIENT_KEY, { now: NOW, acceptMisusedCodes: true });
  expect(inputs?.scores.filter(({ score }) => score === 'cdr_global').map(({ value }) => value)).toContain(2);
  expect(inputs?.score_warnings.map(({ code }) => code)).toEqual(['SCORE_CODE_MISUSED']);
});

test('an unknown patient is undefined, one without scores has none', async () => {
  expect(await readPatient(fhir, 'nobody', PATIENT_KEY, { now: NOW })).toBeUndefined();
  expect((await readPatient(fhir, '2', PATIENT_KEY, { now: NOW }))?.scores.map(({ value }) => value)).toEqual([5]);
});
