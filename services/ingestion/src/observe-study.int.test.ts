import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDicomWeb } from '@engram/dicom';
import type { FhirClient } from '@engram/fhir';
import { guardedFetch, parseAllowList } from '@engram/http';
import type { Endpoint, ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { observeStudy } from './observe-study.ts';

const STUDY = '1.2.840.99.1';
const [MR, PT] = [`${STUDY}.1`, `${STUDY}.2`];
const element = (vr: string, ...Value: readonly unknown[]) => ({ vr, Value });
/** A slice as an archive's `metadata` gives it (DICOM JSON model). */
const slice = (series: string, modality: string, n: number, more: object = {}) => ({
  '00080018': element('UI', `${series}.${n}`),
  '00080021': element('DA', '20240115'),
  '00080022': element('DA', '20240115'),
  '00080060': element('CS', modality),
  '0020000D': element('UI', STUDY),
  '0020000E': element('UI', series),
  '00200032': element('DS', 0, 0, n),
  '00200037': element('DS', 1, 0, 0, 0, 1, 0),
  '00280010': element('US', 256),
  '00280011': element('US', 256),
  '00280030': element('DS', 1, 1),
  '00180050': element('DS', 1),
  ...more,
});
const t1 = {
  '0008103E': element('LO', 'MPRAGE'),
  '00180023': element('CS', '3D'),
  '00180081': element('DS', 3),
  '00180080': element('DS', 2300),
};
const florbetapir = {
  '00080100': element('SH', 'C-E0269'),
  '00080102': element('SH', 'SRT'),
  '00080104': element('LO', 'Florbetapir F^18^'),
};
const pet = {
  '00540016': element('SQ', { '00540304': element('SQ', florbetapir) }),
  '00280051': element('CS', 'DECY', 'ATTN'),
};

let answer: { status: number; body: unknown };
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.writeHead(answer.status, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(answer.body));
});
let base = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const range = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const study: ImagingStudy & { id: string } = {
  resourceType: 'ImagingStudy',
  id: 's1',
  status: 'available',
  identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${STUDY}` }],
  subject: { reference: 'Patient/p1' },
  started: '2024-01-15T23:50:00-08:00',
  endpoint: [{ reference: '#pacs' }],
  numberOfInstances: 240,
  series: [
    { uid: MR, modality: { code: 'MR' }, numberOfInstances: 160 },
    { uid: PT, modality: { code: 'PT' }, numberOfInstances: 80 },
  ],
};

function look(more: Partial<ImagingStudy> = {}, allowed = true) {
  const endpoint: Endpoint = {
    resourceType: 'Endpoint',
    id: 'pacs',
    status: 'active',
    connectionType: { code: 'dicom-wado-rs' },
    payloadType: [{ text: 'DICOM' }],
    address: `${base}/studies/${STUDY}`,
  };
  const allow = parseAllowList(allowed ? [new URL(base).origin] : []);
  const fetch = guardedFetch({ allow });
  const read: FhirClient['read'] = async () => undefined;
  const deps = {
    fhir: { read } as FhirClient,
    allow,
    dicomWeb: (address: string) => createDicomWeb({ base: address, fetch }),
  };
  return observeStudy(deps, { ...study, contained: [endpoint], ...more });
}

test('the archive says what the FHIR resource does not: instances, T1, PET and its tracer', async () => {
  answer = {
    status: 200,
    body: [...range(160).map((n) => slice(MR, 'MR', n, t1)), ...range(80).map((n) => slice(PT, 'PT', n, pet))],
  };
  const seen = await look();
  expect(asked.at(-1)).toBe(`/dicom-web/studies/${STUDY}/metadata`);
  expect([seen.announced, seen.found, seen.unreachable, seen.problem]).toEqual([240, 240, false, null]);
  expect(seen.t1).toMatchObject({
    series_uid: MR,
    acquired: '2024-01-15',
    source: { kind: 'dicomweb', base, study_uid: STUDY, series_uid: MR, instances: 160 },
  });
  expect(seen.pet).toMatchObject({ series_uid: PT, tracer: 'FBP' });
  expect(seen.series.map(({ role, instances }) => [role, instances])).toEqual([
    ['t1', 160],
    ['pet', 80],
  ]);
});

test('the same instances in another order are the same version, one more is another', async () => {
  const all = range(160).map((n) => slice(MR, 'MR', n, t1));
  answer = { status: 200, body: all };
  const first = await look();
  answer = { status: 200, body: [...all].reverse() };
  expect((await look()).study_version).toBe(first.study_version);
  answer = { status: 200, body: [...all, slice(MR, 'MR', 161, t1)] };
  expect((await look()).study_version).not.toBe(first.study_version);
  expect(first.found).toBe(160);
});

test.each([[503], [404]])('an archive that answers %i is looked at again, not given up', async (status) => {
  answer = { status, body: {} };
  expect(await look()).toMatchObject({ unreachable: true, problem: null });
});

test('an archive outside the allow-list is refused and never asked', async () => {
  const before = asked.length;
  answer = { status: 200, body: [] };
  const named =
    study.series?.map((series) => ({ ...series, description: series.modality.code === 'MR' ? 'MPRAGE' : 'PET' })) ?? [];
  expect(await look({ series: named }, false)).toMatchObject({ t1: null, pet: null, problem: { code: 'URL_REFUSED' } });
  expect(asked).toHaveLength(before);
});

test('no archive is asked about a study that no pipeline can use', async () => {
  const before = asked.length;
  await look({ series: [{ uid: `${STUDY}.3`, modality: { code: 'CT' } }] });
  expect(asked).toHaveLength(before);
});
