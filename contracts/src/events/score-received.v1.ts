import { z } from 'zod';
import { patientKey } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

export const scoreReceived = defineEvent({
  type: 'score.received.v1',
  from: ['ingestion'],
  to: ['prediction'],
  says: 'a measured score or demographic changed (reference, not value)',
  data: z.object({
    patient_key: patientKey,
    patient_reference: z.string().describe('Patient/id on the FHIR server'),
    reference: z.string().describe('Observation/id or Patient/id'),
    version: z.string().describe('meta.versionId, or a digest where the server keeps none'),
  }),
  example: {
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    patient_reference: 'Patient/1',
    reference: 'Observation/9',
    version: '1',
  },
});
