/** What a hospital has on its FHIR server before and when a scan arrives. Ids are chosen here, so that two servers agree. */
import { scoreConcept } from '@engram/fhir';
import type { Endpoint, ImagingStudy, Observation, Patient, Resource } from '@medplum/fhirtypes';
import type { RealSeries, RealStudy } from './study.ts';

export const PATIENT_ID = 'e2e-patient';
export const STUDY_ID = 'e2e-study';
const ENDPOINT_ID = 'e2e-pacs';
const SUBJECT = { reference: `Patient/${PATIENT_ID}` };

type WithId = Resource & { id: string };

const SCORES = [
  ['mmse', 26],
  ['cdr_global', 0.5],
  ['cdr_sob', 2.5],
  ['adas_cog', 17],
] as const;

/** @param date of the visit at which the scores were measured. @param pacs DICOMweb base URL. */
export function resourcesBefore(date: string, pacs: string): WithId[] {
  const patient: Patient & { id: string } = {
    resourceType: 'Patient',
    id: PATIENT_ID,
    identifier: [{ system: 'urn:oid:2.999.1', value: 'MRN-E2E-1' }],
    name: [{ family: 'Canarywoman', given: ['Carla'] }],
    gender: 'male',
    birthDate: '1949-12-24',
  };
  const endpoint: Endpoint & { id: string } = {
    resourceType: 'Endpoint',
    id: ENDPOINT_ID,
    status: 'active',
    connectionType: {
      system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
      code: 'dicom-wado-rs',
    },
    payloadType: [{ text: 'DICOM' }],
    address: pacs,
  };
  const scores = SCORES.map(([score, value]): Observation & { id: string } => ({
    resourceType: 'Observation',
    id: `e2e-${score.replace('_', '-')}`,
    status: 'final',
    code: scoreConcept(score),
    subject: SUBJECT,
    effectiveDateTime: date,
    valueQuantity: { value, unit: '{score}', system: 'http://unitsofmeasure.org', code: '{score}' },
  }));
  return [patient, endpoint, ...scores];
}

export function imagingStudyOf(study: RealStudy): ImagingStudy & { id: string } {
  return {
    resourceType: 'ImagingStudy',
    id: STUDY_ID,
    identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${study.uid}` }],
    status: 'available',
    subject: SUBJECT,
    started: study.date,
    endpoint: [{ reference: `Endpoint/${ENDPOINT_ID}` }],
    numberOfSeries: study.series.length,
    numberOfInstances: study.series.reduce((sum, { instances }) => sum + instances.length, 0),
    series: study.series.map(seriesOf),
  };
}

const seriesOf = ({ uid, number, modality, description, instances }: RealSeries) => ({
  uid,
  number,
  modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: modality },
  description,
  numberOfInstances: instances.length,
  instance: instances.map(({ uid: instance, sopClass }) => ({
    uid: instance,
    sopClass: { system: 'urn:ietf:rfc:3986', code: `urn:oid:${sopClass}` },
  })),
});
