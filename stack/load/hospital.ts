/** Patients with one score and one scan each, as a hospital's FHIR server holds them; all of it follows from a number. */
import { createHash } from 'node:crypto';
import { FHIR_URLS } from '@engram/contracts';
import { type FhirClient, scoreConcept } from '@engram/fhir';
import type { ImagingStudy, Observation, Patient } from '@medplum/fhirtypes';

export interface Scan {
  readonly patientId: string;
  readonly studyId: string;
}

const SCAN_DATE = '2025-11-03';
const SCORE_DATE = '2025-11-05';

/** @param name of the group of patients, unique in a run. */
export const scansOf = (name: string, count: number): Scan[] =>
  Array.from({ length: count }, (_, k) => ({ patientId: `${name}-p${k + 1}`, studyId: `${name}-s${k + 1}` }));

/** Ids of `scansOf` in a text: of patients, of studies, and what begins with one. */
export const SCAN_IDS = /\b[a-z]+-[ps]\d+/g;

export const patientOf = ({ patientId }: Scan): Patient & { id: string } => ({
  resourceType: 'Patient',
  id: patientId,
  gender: 'female',
  birthDate: '1950-03-01',
});

export const scoreOf = ({ patientId }: Scan): Observation & { id: string } => ({
  resourceType: 'Observation',
  id: `${patientId}-mmse`,
  status: 'final',
  code: scoreConcept('mmse'),
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: SCORE_DATE,
  valueQuantity: { value: 27, unit: '{score}', system: 'http://unitsofmeasure.org', code: '{score}' },
});

/** A UID below the root that DICOM leaves to UUIDs (PS3.5 B.2). */
const uidOf = (text: string): string =>
  `2.25.${BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 30)}`)}`;

/** @param imageUrl of its T1. */
export const studyOf = ({ patientId, studyId }: Scan, imageUrl: string): ImagingStudy & { id: string } => ({
  resourceType: 'ImagingStudy',
  id: studyId,
  status: 'available',
  identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${uidOf(studyId)}` }],
  subject: { reference: `Patient/${patientId}` },
  started: SCAN_DATE,
  numberOfSeries: 1,
  numberOfInstances: 1,
  series: [
    {
      uid: uidOf(`${studyId}/t1`),
      number: 1,
      modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'MR' },
      description: 'T1w MPRAGE sagittal',
      numberOfInstances: 1,
      instance: [
        {
          uid: uidOf(`${studyId}/t1/1`),
          sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.4' },
        },
      ],
      extension: [{ url: FHIR_URLS.imageUrl, valueUrl: imageUrl }],
    },
  ],
});

export async function admitPatients(fhir: FhirClient, scans: readonly Scan[]): Promise<void> {
  for (const scan of scans) {
    await fhir.update(patientOf(scan));
    await fhir.update(scoreOf(scan));
  }
}

/** Who they are first, then the scans: all at once. */
export async function admit(fhir: FhirClient, scans: readonly Scan[], imageUrl: (scan: Scan) => string): Promise<void> {
  await admitPatients(fhir, scans);
  await Promise.all(scans.map((scan) => fhir.update(studyOf(scan, imageUrl(scan)))));
}
