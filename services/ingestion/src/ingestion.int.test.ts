import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openBus } from '@engram/bus';
import { AI_ASSERTED, type EngramEvent, events, FHIR_URLS } from '@engram/contracts';
import { buildFhirServer, openFhir, predictedCode, scoreConcept } from '@engram/fhir';
import { type Fetch, guardedFetch, listen, parseAllowList } from '@engram/http';
import { openRecords } from '@engram/records';
import type { ImagingStudy, Observation } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { createIngestion, type IngestionDeps, NOTIFICATIONS } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'engram-ingestion-'));
writeFileSync(join(folder, 't1.nii.gz'), 'x');
const imageUrl = pathToFileURL(join(folder, 't1.nii.gz')).href;
const KEY = 'abcdefghijklmnopqrstuvwx';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Reaches any port of this machine: they are not known beforehand. */
const loopback: Fetch = (url, init) => guardedFetch({ allow: parseAllowList([new URL(url).origin]) })(url, init);

async function open(options: Partial<IngestionDeps> & { start?: boolean; records?: IngestionDeps['records'] } = {}) {
  const server = await buildFhirServer({ database: 'sqlite::memory:', fetch: loopback });
  const fhir = openFhir({ url: `${await listen(server, { port: 0 })}/fhir`, fetch: loopback });
  closers.push(() => server.close());
  const records = options.records ?? (await openRecords('sqlite::memory:'));
  const bus = await openBus('sqlite::memory:');
  closers.push(async () => records.close());
  closers.push(() => bus.close());
  const said: EngramEvent[] = [];
  await bus.subscribe({
    group: 'engram.test',
    types: Object.values(events).map(({ type }) => type),
    handler: async ({ event }) => void said.push(event),
  });
  const again = async (more: Partial<IngestionDeps> = {}) => {
    let url: string | null = null;
    const ingestion = await createIngestion({
      records,
      bus,
      fhir,
      fetch: loopback,
      allow: parseAllowList([pathToFileURL(folder).href]),
      patientKey: (id) => `${KEY}${id.endsWith('2') ? 'bb' : 'aa'}`,
      publicUrl: () => url,
      quietMs: 0,
      pollMs: 3_600_000,
      notificationSecret: 'a shared secret',
      ...options,
      ...more,
    });
    url = await listen(ingestion.app, { port: 0 });
    closers.push(() => ingestion.stop());
    if (options.start !== false) await ingestion.start();
    return { ingestion, url };
  };
  await fhir.update({ resourceType: 'Patient', id: 'p1', gender: 'female', birthDate: '1950-01-01' });
  const first = await again();
  if (options.start !== false && options.publicUrl === undefined) {
    await expect.poll(async () => (await fhir.search('Subscription', { status: 'active' })).length).toBe(3);
  }
  const ofType = <D>(definition: { type: string; data: { parse: (value: unknown) => D } }) =>
    said.filter(({ type }) => type === definition.type).map(({ data }) => definition.data.parse(data));
  return { ...first, fhir, records, bus, said, ofType, again };
}

const series = (
  uid: string,
  modality: 'MR' | 'PT',
  more: Partial<NonNullable<ImagingStudy['series']>[number]> = {},
) => ({
  uid,
  modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: modality },
  description: modality === 'MR' ? 'MPRAGE' : 'PET AV45',
  numberOfInstances: 1,
  extension: [
    { url: FHIR_URLS.imageUrl, valueUrl: imageUrl },
    ...(modality === 'PT' ? [{ url: FHIR_URLS.tracer, valueString: 'AV45' }] : []),
  ],
  ...more,
});

const study = (
  id: string,
  started: string,
  parts: NonNullable<ImagingStudy['series']>,
  more: Partial<ImagingStudy> = {},
) => ({
  resourceType: 'ImagingStudy' as const,
  id,
  status: 'available' as const,
  identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:1.2.3.${id.replace(/\D/g, '')}` }],
  subject: { reference: 'Patient/p1' },
  started,
  series: parts,
  ...more,
});

const read = async (response: Promise<Response> | Response | undefined): Promise<Record<string, unknown>> => ({
  ...Object(await (await response)?.json()),
});
const quiet = () => new Promise((resolve) => setTimeout(resolve, 400));

describe('a study’s way in', () => {
  test('told fifty times, in every form and out of order, it has one effect', async () => {
    const { fhir, url, ofType, said } = await open();
    const first = study('s1', '2024-01-15T23:50:00-08:00', [series('1.2.3.1.1', 'MR')]);
    await fhir.update(first);
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    await fhir.update({ ...first, status: 'available', note: [{ text: 'later' }] });
    const tell = (n: number) => {
      if (n % 3 === 0) return fetch(`${url}${NOTIFICATIONS}`, { method: 'POST' });
      const body = JSON.stringify(n % 2 === 0 ? first : { ...first, series: [] });
      return fetch(`${url}${NOTIFICATIONS}/ImagingStudy/s1`, {
        method: 'PUT',
        body,
        headers: { 'content-type': 'application/fhir+json' },
      });
    };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => tell(n)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await read(answers[1])).resourceType).toBe('OperationOutcome');
    await quiet();
    expect(ofType(events.runRequested)).toHaveLength(1);
    const [run] = ofType(events.runRequested);
    expect(run).toMatchObject({
      session_date: '2024-01-15',
      awaiting_pet: true,
      request_id: 'ready',
      patient_id: 'p1',
    });
    expect(run?.inputs).toMatchObject([
      { role: 't1', study_uid: '1.2.3.1', acquired: '2024-01-15', source: { kind: 'url', url: imageUrl } },
    ]);
    expect(new Set(said.map(({ id }) => id)).size).toBe(said.length);
    expect(new Set(ofType(events.studyReceived).map(({ study_version }) => study_version)).size).toBe(1);
  });

  test('our own write-back wakes nobody; a further series is a new version and a new run', async () => {
    const { fhir, ofType, said } = await open();
    const first = study('s1', '2024-01-15', [series('1.2.3.1.1', 'MR')]);
    await fhir.update(first);
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    await quiet();
    const before = said.length;
    await fhir.update({ ...first, extension: [{ url: FHIR_URLS.preprocessingStatus, valueCode: 'completed' }] });
    await quiet();
    expect(said).toHaveLength(before);
    await fhir.update({ ...first, series: [...(first.series ?? []), series('1.2.3.1.2', 'PT')] });
    await expect.poll(() => ofType(events.runRequested).length).toBe(2);
    const [, grown] = ofType(events.runRequested);
    expect(grown?.inputs.map(({ role, tracer }) => [role, tracer])).toEqual([
      ['t1', null],
      ['pet', 'FBP'],
    ]);
    expect([grown?.awaiting_pet, grown?.session_id]).toEqual([false, ofType(events.runRequested)[0]?.session_id]);
  });

  test('a PET waits for its T1 across studies, and a later PET makes a second run of the same session', async () => {
    const { fhir, url, ofType } = await open();
    await fhir.update(study('s2', '2024-03-01', [series('1.2.3.2.1', 'PT')]));
    await expect
      .poll(() =>
        ofType(events.studyReceived)
          .at(-1)
          ?.awaiting.map(({ what }) => what),
      )
      .toEqual(['t1']);
    expect(ofType(events.runRequested)).toEqual([]);
    await fhir.update(study('s1', '2024-01-15', [series('1.2.3.1.1', 'MR')]));
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    const [run] = ofType(events.runRequested);
    expect(run?.inputs.map(({ role, study_id }) => [role, study_id])).toEqual([
      ['t1', 's1'],
      ['pet', 's2'],
    ]);
    const view = await read(fetch(`${url}/api/v1/sessions/${run?.session_id}`));
    expect(view).toMatchObject({
      session_date: '2024-01-15',
      state: 'ready',
      awaiting: [],
      inputs: [{ role: 't1' }, { role: 'pet' }],
    });
    const pet = await read(fetch(`${url}/api/v1/studies/s2`));
    expect([pet.session_id, pet.awaiting]).toEqual([run?.session_id, []]);
  });

  test('a second session of a day is _2', async () => {
    const { fhir, ofType } = await open();
    await fhir.update(study('s1', '2024-01-15T08:00:00Z', [series('1.2.3.1.1', 'MR')]));
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    await fhir.update(study('s2', '2024-01-15T18:00:00Z', [series('1.2.3.2.1', 'MR')]));
    await expect
      .poll(() => ofType(events.runRequested).map(({ session_date }) => session_date))
      .toEqual(['2024-01-15', '2024-01-15_2']);
  });
});

describe('withdrawal', () => {
  test.each([
    [
      'entered-in-error',
      (fhir: Awaited<ReturnType<typeof open>>['fhir'], s: ReturnType<typeof study>) =>
        fhir.update({ ...s, status: 'entered-in-error' as const }),
    ],
    [
      'deleted',
      (fhir: Awaited<ReturnType<typeof open>>['fhir'], s: ReturnType<typeof study>) =>
        fhir.remove('ImagingStudy', s.id),
    ],
    [
      'patient-merged',
      (fhir: Awaited<ReturnType<typeof open>>['fhir']) =>
        fhir.update({
          resourceType: 'Patient' as const,
          id: 'p1',
          link: [{ other: { reference: 'Patient/p2' }, type: 'replaced-by' as const }],
        }),
    ],
    ['patient-deleted', (fhir: Awaited<ReturnType<typeof open>>['fhir']) => fhir.remove('Patient', 'p1')],
  ] as const)('%s: the study is retracted once, its session ends, and it can come back', async (why, act) => {
    const { fhir, url, ofType } = await open();
    const s1 = study('s1', '2024-01-15', [series('1.2.3.1.1', 'MR')]);
    await fhir.update(s1);
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    const session = ofType(events.runRequested)[0]?.session_id;
    await expect.poll(async () => (await read(fetch(`${url}/api/v1/studies/s1`))).session_id).toBe(session);
    await act(fhir, s1);
    await expect
      .poll(() => ofType(events.studyRetracted))
      .toEqual([expect.objectContaining({ study_id: 's1', why, session_id: session })]);
    await expect.poll(async () => (await read(fetch(`${url}/api/v1/sessions/${session}`))).state).toBe('retracted');
    if (why !== 'entered-in-error') return;
    await fhir.update(s1);
    await expect
      .poll(() => ofType(events.runRequested).map(({ request_id }) => request_id))
      .toEqual(['ready', 'ready-1']);
    expect(ofType(events.studyRetracted)).toHaveLength(1);
  });

  test('a study moved to another patient leaves the one and reaches the other', async () => {
    const { fhir, ofType } = await open();
    await fhir.update({ resourceType: 'Patient', id: 'p2' });
    const s1 = study('s1', '2024-01-15', [series('1.2.3.1.1', 'MR')]);
    await fhir.update(s1);
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    await fhir.update({ ...s1, subject: { reference: 'Patient/p2' } });
    await expect
      .poll(() => ofType(events.runRequested).map(({ patient_key }) => patient_key))
      .toEqual([`${KEY}aa`, `${KEY}bb`]);
    expect(ofType(events.studyRetracted)).toMatchObject([{ patient_key: `${KEY}aa`, why: 'patient-merged' }]);
  });
});

describe('what must not be lost', () => {
  test('a study whose notification was lost is found by the poll, a deletion by asking for what is in use', async () => {
    const { fhir, ingestion, ofType } = await open({ publicUrl: () => null, start: false, reconcileMs: 200 });
    await fhir.update(study('s1', '2024-01-15', [series('1.2.3.1.1', 'MR')]));
    await ingestion.start();
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    await fhir.update(study('s2', '2024-02-15', [series('1.2.3.2.1', 'MR')]));
    await ingestion.poll();
    await expect.poll(() => ofType(events.runRequested).length).toBe(2);
    await fhir.remove('ImagingStudy', 's1');
    await expect.poll(() => ofType(events.studyRetracted)).toMatchObject([{ study_id: 's1', why: 'deleted' }]);
  });

  test('the quiet period survives a restart, and its end asks for the run', async () => {
    const records = await openRecords('sqlite::memory:');
    const { fhir, ingestion, ofType, again } = await open({ records, quietMs: 1500 });
    await fhir.update(study('s1', '2024-01-15', [series('1.2.3.1.1', 'MR')]));
    await expect.poll(() => ofType(events.studyReceived).map(({ awaiting }) => awaiting[0]?.what)).toEqual(['quiet']);
    await ingestion.stop();
    expect(ofType(events.runRequested)).toEqual([]);
    await again();
    await expect.poll(() => ofType(events.runRequested).length, { timeout: 5000 }).toBe(1);
  });

  test('a study is waited for until as many instances are listed as were announced', async () => {
    const { fhir, ofType } = await open();
    const sop = { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.4' };
    const part = series('1.2.3.1.1', 'MR', { numberOfInstances: 2, instance: [{ uid: '1.2.3.1.1.1', sopClass: sop }] });
    await fhir.update(study('s1', '2024-01-15', [part]));
    await expect
      .poll(() => ofType(events.studyReceived).at(-1)?.awaiting)
      .toEqual([{ what: 'instances', why: '1 of 2 announced instances are there' }]);
    await fhir.update(
      study('s1', '2024-01-15', [
        { ...part, instance: [...(part.instance ?? []), { uid: '1.2.3.1.1.2', sopClass: sop }] },
      ]),
    );
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
  });

  test('a gap in a Backport stream is caught up by search', async () => {
    const { fhir, url, ofType } = await open({ publicUrl: () => null });
    await fhir.update(study('s1', '2024-01-15', [series('1.2.3.1.1', 'MR')]));
    await fhir.update(study('s2', '2024-02-15', [series('1.2.3.2.1', 'MR')]));
    const status = (type: string, count: string, more: object[] = []) => ({
      resourceType: 'Bundle',
      type: 'history',
      entry: [
        {
          resource: {
            resourceType: 'Parameters',
            parameter: [
              { name: 'subscription', valueReference: { reference: 'Subscription/x' } },
              { name: 'type', valueCode: type },
              { name: 'events-since-subscription-start', valueString: count },
              ...more,
            ],
          },
        },
      ],
    });
    const tell = (body: object) =>
      fetch(`${url}${NOTIFICATIONS}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/fhir+json' },
      });
    expect((await tell(status('handshake', '0'))).status).toBe(200);
    await quiet();
    expect(ofType(events.runRequested)).toEqual([]);
    const event = (n: string, id: string) => ({
      name: 'notification-event',
      part: [
        { name: 'event-number', valueString: n },
        { name: 'focus', valueReference: { reference: `ImagingStudy/${id}` } },
      ],
    });
    await tell(status('event-notification', '1', [event('1', 's1')]));
    await expect.poll(() => ofType(events.runRequested).length).toBe(1);
    await tell(status('heartbeat', '2'));
    await expect.poll(() => ofType(events.runRequested).length).toBe(2);
  });
});

describe('what is refused', () => {
  test('a signature that does not fit is 401, nonsense 400; neither has an effect', async () => {
    const { url, said } = await open();
    const post = (body: string, headers = {}) =>
      fetch(`${url}${NOTIFICATIONS}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/fhir+json', ...headers },
      });
    const wrong = await post('{}', { 'x-signature': 'a'.repeat(64) });
    expect([wrong.status, (await read(wrong)).code]).toEqual([401, 'SIGNATURE_INVALID']);
    expect((await post('not json')).status).toBe(400);
    expect((await post('{"resourceType":"Bundle","type":"history"}')).status).toBe(400);
    expect(said).toEqual([]);
  });

  test.each([
    ['URL_REFUSED', { extension: [{ url: FHIR_URLS.imageUrl, valueUrl: 'file:///etc/passwd' }] }],
    ['URL_REFUSED', { extension: [{ url: FHIR_URLS.imageUrl, valueUrl: 'http://169.254.169.254/latest' }] }],
    ['STUDY_NO_IMAGES', { extension: [] }],
  ] as const)('%s: no run, and a person is asked once', async (code, more) => {
    const { fhir, ofType } = await open();
    const wrong = study('s1', '2024-01-15', [
      series('1.2.3.1.1', 'MR', { numberOfInstances: 176, extension: [...more.extension] }),
    ]);
    await fhir.update(wrong);
    await expect.poll(() => ofType(events.reviewRequested).map((review) => review.code)).toEqual([code]);
    await fhir.update({ ...wrong, note: [{ text: 'again' }] });
    await quiet();
    expect(ofType(events.reviewRequested)).toHaveLength(1);
    expect(ofType(events.runRequested)).toEqual([]);
    expect(ofType(events.studyReceived).at(-1)?.state).toBe('unusable');
  });
});

test('a measured score is told once a version; forecasts and other Observations never', async () => {
  const { fhir, ofType } = await open();
  const score = (id: string, more: Partial<Observation> = {}): Observation & { id: string } => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: scoreConcept('mmse'),
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2024-01-15',
    valueQuantity: { value: 27 },
    ...more,
  });
  await fhir.update(score('o1'));
  await fhir.update(score('o2', { meta: { security: [{ ...AI_ASSERTED }] } }));
  await fhir.update(score('o3', { code: { coding: [predictedCode('mmse')] } }));
  await fhir.update(score('o4', { code: { text: 'weight' } }));
  await expect
    .poll(() => ofType(events.scoreReceived))
    .toMatchObject([{ reference: 'Observation/o1', version: '1', patient_reference: 'Patient/p1' }]);
  await fhir.update(score('o1', { status: 'entered-in-error' }));
  await expect.poll(() => ofType(events.scoreReceived).map(({ version }) => version)).toEqual(['1', '2']);
  await fhir.remove('Observation', 'o1');
  await expect.poll(() => ofType(events.scoreReceived).map(({ version }) => version)).toEqual(['1', '2', 'deleted']);
});
