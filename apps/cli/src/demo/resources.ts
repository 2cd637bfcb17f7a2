/** The demo's FHIR resources: a patient, scores, an ImagingStudy a session whose images lie in files. */
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { FHIR_URLS } from '@engram/contracts';
import type { ImagingStudy, ImagingStudySeries, Observation, Patient } from '@medplum/fhirtypes';
import type { DemoScores, DemoSession } from './scans.ts';

export const DEMO_PATIENT = 'PHANTOM-001';

/** A UID below the root that DICOM leaves to UUIDs (PS3.5 B.2): the same text gives the same UID. */
export const uidOf = (text: string): string =>
  `2.25.${BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 30)}`)}`;

export const demoPatient = (id: string, synthetic: boolean): Patient => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: 'https://engram.dev/demo', value: id }],
  name: [{ text: synthetic ? 'Synthetic phantom, no person' : 'Local scan' }],
  ...(synthetic ? { gender: 'female', birthDate: '1951-03-01' } : {}),
});

const score = (
  patient: string,
  date: string,
  codes: { system: string; code: string; display: string }[],
  value: number,
): Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: codes },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: date,
  valueQuantity: { value, unit: '{score}', system: 'http://unitsofmeasure.org', code: '{score}' },
  note: [{ text: 'Made up for a synthetic patient' }],
});

export function scoreObservations(patient: string, date: string, scores: DemoScores): Observation[] {
  const own = (code: string, display: string) => ({ system: FHIR_URLS.scores, code, display });
  return [
    score(patient, date, [{ system: 'http://loinc.org', code: '72106-8', display: 'Total score [MMSE]' }], scores.mmse),
    score(patient, date, [own('cdr-global', 'CDR global score')], scores.cdrGlobal),
    score(patient, date, [own('cdr-sb', 'CDR sum of boxes')], scores.cdrSob),
    score(patient, date, [own('adas-cog-13', 'ADAS-Cog 13 total score')], scores.adasCog13),
  ];
}

function series(study: string, modality: 'MR' | 'PT', description: string, path: string): ImagingStudySeries {
  return {
    uid: uidOf(`${study}/${modality}`),
    modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: modality },
    description,
    numberOfInstances: 1,
    instance: [
      {
        uid: uidOf(`${study}/${modality}/1`),
        sopClass: {
          system: 'urn:ietf:rfc:3986',
          code: modality === 'MR' ? 'urn:oid:1.2.840.10008.5.1.4.1.1.4' : 'urn:oid:1.2.840.10008.5.1.4.1.1.128',
        },
      },
    ],
    extension: [{ url: FHIR_URLS.imageUrl, valueUrl: pathToFileURL(path).href }],
  };
}

export function imagingStudy(patient: string, session: DemoSession): ImagingStudy {
  const name = `${patient}/${session.sessionDate}/${session.t1}`;
  const all = [
    series(name, 'MR', 'T1w MPRAGE sagittal', session.t1),
    ...(session.pet === null ? [] : [series(name, 'PT', 'FDG PET dynamic', session.pet)]),
  ];
  return {
    resourceType: 'ImagingStudy',
    status: 'available',
    identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${uidOf(name)}` }],
    subject: { reference: `Patient/${patient}` },
    started: `${session.sessionDate}T09:00:00+00:00`,
    modality: all.map((entry) => entry.modality).filter((modality) => modality !== undefined),
    numberOfSeries: all.length,
    numberOfInstances: all.length,
    series: all,
  };
}
