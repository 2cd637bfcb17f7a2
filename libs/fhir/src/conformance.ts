/**
 * What every FHIR server behind the port must do. Run against the embedded server here; against any other by passing
 * its client and a way to receive notifications.
 */
import { randomUUID } from 'node:crypto';
import type { ImagingStudy, Patient, Subscription } from '@medplum/fhirtypes';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FhirClient } from './port.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface ConformanceEnvironment {
  readonly fhir: FhirClient;
  /** URL that the server under test can notify. */
  readonly endpoint: string;
  /** What has arrived there so far. */
  readonly received: () => readonly Received[];
  /** How long a notification may take. */
  readonly patienceMs?: number;
}

const SYSTEM = 'https://engram.dev/fhir/identifier/conformance';

export function fhirConformance(name: string, open: () => Promise<ConformanceEnvironment>): void {
  describe(`${name} keeps the FHIR port's promises`, () => {
    let environment: ConformanceEnvironment;
    let fhir: FhirClient;
    beforeAll(async () => {
      environment = await open();
      fhir = environment.fhir;
    });
    const patient = (value: string, more: Partial<Patient> = {}): Patient => ({
      resourceType: 'Patient',
      identifier: [{ system: SYSTEM, value }],
      ...more,
    });
    const where = (value: string) => `identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`;

    test('what is created is read back with id and version; what is not there is undefined', async () => {
      const made = await fhir.create(patient(randomUUID(), { gender: 'female' }));
      expect(made.meta?.versionId).toBeTruthy();
      expect(await fhir.read('Patient', made.id ?? '')).toMatchObject({ id: made.id, gender: 'female' });
      expect(await fhir.read('Patient', randomUUID())).toBeUndefined();
    });

    test('a deleted resource is gone, and deleting it again does no harm', async () => {
      const { id = '' } = await fhir.create(patient(randomUUID()));
      await fhir.remove('Patient', id);
      await fhir.remove('Patient', id);
      await expect(fhir.read('Patient', id)).rejects.toMatchObject({ code: 'FHIR_GONE' });
    });

    test('creating twice under one condition makes one resource', async () => {
      const value = randomUUID();
      const first = await fhir.create(patient(value), where(value));
      const second = await fhir.create(patient(value, { gender: 'male' }), where(value));
      expect(second.id).toBe(first.id);
      expect(await fhir.search('Patient', { identifier: `${SYSTEM}|${value}` })).toHaveLength(1);
    });

    test('a conditional update creates, then replaces; several matches are a conflict', async () => {
      const value = randomUUID();
      const first = await fhir.updateWhere(patient(value, { gender: 'male' }), where(value));
      const second = await fhir.updateWhere(patient(value, { gender: 'female' }), where(value));
      expect([second.id, second.gender]).toEqual([first.id, 'female']);
      await fhir.create(patient(value));
      await expect(fhir.updateWhere(patient(value), where(value))).rejects.toMatchObject({ code: 'FHIR_CONFLICT' });
    });

    test('an update against an old version is a conflict and changes nothing', async () => {
      const first = await fhir.create(patient(randomUUID(), { gender: 'male' }));
      const id = first.id ?? '';
      await fhir.update({ ...first, id, gender: 'female' }, { ifMatch: first.meta?.versionId ?? '' });
      const late = fhir.update({ ...first, id, gender: 'other' }, { ifMatch: first.meta?.versionId ?? '' });
      await expect(late).rejects.toMatchObject({ code: 'FHIR_CONFLICT' });
      expect((await fhir.read('Patient', id))?.gender).toBe('female');
    });

    test('a search returns every page, and nothing of another patient', async () => {
      const [mine, other] = [await fhir.create(patient(randomUUID())), await fhir.create(patient(randomUUID()))];
      for (let i = 0; i < 7; i++) await fhir.create(study(mine.id ?? '', `2.25.${Date.now()}${i}`));
      await fhir.create(study(other.id ?? '', `2.25.${Date.now()}9`));
      const found = await fhir.search('ImagingStudy', { patient: `Patient/${mine.id}`, _count: '3' });
      expect(new Set(found.map(({ id }) => id)).size).toBe(7);
      expect(new Set(found.map(({ subject }) => subject.reference))).toEqual(new Set([`Patient/${mine.id}`]));
      expect(await fhir.search('ImagingStudy', { patient: `Patient/${mine.id}`, _count: '3' }, 4)).toHaveLength(4);
    });

    test('what changed since an instant is found', async () => {
      const { meta, id } = await fhir.create(patient(randomUUID()));
      const found = await fhir.search('Patient', { _lastUpdated: `ge${meta?.lastUpdated ?? ''}` });
      expect(found.map((one) => one.id)).toContain(id);
    });

    test('an invalid resource is refused', async () => {
      const wrong = { resourceType: 'ImagingStudy', subject: { reference: 'Patient/1' }, status: 'nope' };
      await expect(fhir.create(wrong as unknown as ImagingStudy)).rejects.toMatchObject({ code: 'FHIR_INVALID' });
    });

    test('a transaction links its entries, and is undone as a whole when one fails', async () => {
      const [value, lost] = [randomUUID(), randomUUID()];
      const bundle = (identifier: string, status: ImagingStudy['status']) => ({
        resourceType: 'Bundle' as const,
        type: 'transaction' as const,
        entry: [
          {
            fullUrl: 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a',
            resource: patient(identifier),
            request: { method: 'POST' as const, url: 'Patient' },
          },
          {
            resource: {
              ...study('x', '2.25.1'),
              status,
              // Some servers refuse a conditional update whose outcome would not meet its own condition.
              identifier: [{ system: SYSTEM, value: identifier }],
              subject: { reference: 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a' },
            },
            request: { method: 'PUT' as const, url: `ImagingStudy?${where(identifier)}` },
          },
        ],
      });
      const answer = await fhir.transaction(bundle(value, 'available'));
      expect(answer.entry?.map(({ response }) => response?.status?.slice(0, 3))).toEqual(['201', '201']);
      const [made] = await fhir.search('Patient', { identifier: `${SYSTEM}|${value}` });
      expect(await fhir.search('ImagingStudy', { patient: `Patient/${made?.id}` })).toHaveLength(1);
      await expect(fhir.transaction(bundle(lost, 'nope' as ImagingStudy['status']))).rejects.toMatchObject({
        code: 'FHIR_INVALID',
      });
      expect(await fhir.search('Patient', { identifier: `${SYSTEM}|${lost}` })).toEqual([]);
    });

    test('a Subscription tells of a change that matches, and of no other', async () => {
      const { endpoint, received, patienceMs = 10_000 } = environment;
      const subject = await fhir.create(patient(randomUUID()));
      const { id = '' } = await fhir.create<Subscription>({
        resourceType: 'Subscription',
        status: 'requested',
        reason: 'conformance',
        criteria: `ImagingStudy?patient=Patient/${subject.id}`,
        channel: { type: 'rest-hook', endpoint: `${endpoint}/${subject.id}`, payload: 'application/fhir+json' },
      });
      await expect
        .poll(async () => (await fhir.read('Subscription', id))?.status, { timeout: patienceMs })
        .toBe('active');
      const other = await fhir.create(patient(randomUUID()));
      await fhir.create(study(other.id ?? '', '2.25.2'));
      const made = await fhir.create(study(subject.id ?? '', '2.25.3'));
      const mine = () => received().filter(({ path }) => path.includes(subject.id ?? 'none'));
      await expect.poll(() => mine().length, { timeout: patienceMs }).toBeGreaterThan(0);
      expect(mine().map(({ method, path }) => `${method} ${path.slice(path.indexOf('/ImagingStudy'))}`)).toEqual([
        `PUT /ImagingStudy/${made.id}`,
      ]);
    });
  });
}

const study = (patientId: string, uid: string): ImagingStudy => ({
  resourceType: 'ImagingStudy',
  status: 'available',
  identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${uid}` }],
  subject: { reference: `Patient/${patientId}` },
});
