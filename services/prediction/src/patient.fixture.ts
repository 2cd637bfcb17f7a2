/** A patient with scores and sessions, for tests of this service. */
import { FHIR_URLS } from '@engram/contracts';
import type { FhirClient, SearchParams } from '@engram/fhir';
import type { ImagingStudy, Observation, Patient, Resource } from '@medplum/fhirtypes';
import type { PatientInputs, SessionFeatures } from './projection.ts';

export const PATIENT_KEY = 'abcdefghijklmnopqrstuvwxyz';
export const NOW = new Date('2024-06-01T12:00:00Z');

export const inputs: PatientInputs = {
  patient_key: PATIENT_KEY,
  patient_id: '1',
  patient_reference: 'Patient/1',
  birth_date: '1950-03-01',
  sex: 'female',
  education_years: 14,
  apoe4: 1,
  scores: [
    { score: 'mmse', value: 26, date: '2023-04-01', reference: 'Observation/1', code: 'x|mmse' },
    { score: 'mmse', value: 24, date: '2024-04-01', reference: 'Observation/2', code: 'x|mmse' },
    { score: 'cdr_sob', value: 2.5, date: '2024-04-01', reference: 'Observation/3', code: 'x|cdr-sb' },
  ],
  score_warnings: [],
  studies: [],
  read_at: NOW.toISOString(),
};

export const session = (over: Partial<SessionFeatures> = {}): SessionFeatures => ({
  feature_set_id: 'fs-1',
  patient_key: PATIENT_KEY,
  sequence: 1,
  version: 1,
  digest: 'a'.repeat(64),
  session_id: 's-1',
  session_date: '2024-05-01',
  qc_verdict: 'pass',
  withdrawn: false,
  awaiting_pet: false,
  study_ids: ['17'],
  mri: new Array<number>(12).fill(-0.05),
  pet: { kind: 'amyloid', groups: [1.3] },
  ...over,
});

export const patient: Patient = { resourceType: 'Patient', id: '1', birthDate: '1950-03-01', gender: 'female' };

export const mmse = (id: string, value: number, date: string): Observation => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '72106-8' }] },
  subject: { reference: 'Patient/1' },
  effectiveDateTime: date,
  valueQuantity: { value, code: '{score}', system: 'http://unitsofmeasure.org' },
});

export const study = (id: string, status: string | null, lastUpdated: string): ImagingStudy => ({
  resourceType: 'ImagingStudy',
  id,
  status: 'available',
  subject: { reference: 'Patient/1' },
  modality: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'MR' }],
  meta: { lastUpdated },
  ...(status === null ? {} : { extension: [{ url: FHIR_URLS.preprocessingStatus, valueCode: status }] }),
});

/** A FHIR server of a few resources that knows the searches prediction makes, by type and code tokens. */
export function fhirOf(resources: Resource[]): { readonly client: FhirClient; reads: number; fail: Error | undefined } {
  const server = { client: undefined as unknown as FhirClient, reads: 0, fail: undefined as Error | undefined };
  const answer = <T>(value: T): Promise<T> => {
    server.reads++;
    return server.fail ? Promise.reject(server.fail) : Promise.resolve(value);
  };
  const unused = () => Promise.reject(new Error('prediction does not write'));
  const matches = (resource: Resource, { code }: SearchParams): boolean => {
    if (code === undefined || resource.resourceType !== 'Observation') return true;
    const tokens = new Set(String(code).split(','));
    return resource.code?.coding?.some((coding) => tokens.has(`${coding.system}|${coding.code}`)) ?? false;
  };
  const client = {
    base: 'http://fhir.test',
    read: (type: string, id: string) => answer(resources.find((each) => each.resourceType === type && each.id === id)),
    search: (type: string, params: SearchParams) =>
      answer(resources.filter((each) => each.resourceType === type && matches(each, params))),
    searchBundle: unused,
    create: unused,
    update: unused,
    updateWhere: unused,
    transaction: unused,
    remove: unused,
    capabilities: unused,
  };
  server.client = client as unknown as FhirClient;
  return server;
}
