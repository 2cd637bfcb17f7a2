import { z } from 'zod';
import { patientKey, sessionDate } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

export const studyReceived = defineEvent({
  type: 'study.received.v1',
  from: ['ingestion'],
  to: ['results'],
  says: 'study version, its series, its session, what is still awaited and why',
  data: z.object({
    patient_key: patientKey,
    study_id: z.string().describe('FHIR ImagingStudy id'),
    study_uid: z.string(),
    study_version: z.string().describe('digest of the sorted series and SOP instance UIDs'),
    series: z.array(
      z.object({
        series_uid: z.string(),
        modality: z.string(),
        instances: z.int().min(0),
        role: z.enum(['t1', 'pet', 'none']),
        reason: z.string(),
      }),
    ),
    session_id: z.string().nullable(),
    session_date: sessionDate.nullable(),
    state: z.enum(['ready', 'waiting', 'unusable']),
    awaiting: z.array(z.object({ what: z.enum(['instances', 'quiet', 't1', 'pet']), why: z.string() })),
  }),
  example: {
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    study_id: '17',
    study_uid: '1.2.840.1',
    study_version: '5feceb66ffc86f38',
    series: [
      { series_uid: '1.2.840.1.1', modality: 'MR', instances: 176, role: 't1', reason: 'MPRAGE, 1.0 mm, no contrast' },
    ],
    session_id: 's-1',
    session_date: '2024-01-15',
    state: 'ready',
    awaiting: [{ what: 'pet', why: 'no PET within 180 days of 2024-01-15 yet' }],
  },
});
