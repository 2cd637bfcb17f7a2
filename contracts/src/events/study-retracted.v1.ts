import { z } from 'zod';
import { patientKey } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

export const studyRetracted = defineEvent({
  type: 'study.retracted.v1',
  from: ['ingestion'],
  to: ['preprocessing', 'feature-store', 'prediction', 'results'],
  says: 'entered-in-error, patient merged or deleted: withdraw what was derived',
  data: z.object({
    patient_key: patientKey,
    study_id: z.string(),
    study_uid: z.string(),
    session_id: z.string().nullable(),
    withdrawals: z
      .int()
      .min(1)
      .optional()
      .describe(
        'how often the study has been withdrawn, this time included: what was chosen from it before is concerned',
      ),
    why: z.enum(['entered-in-error', 'cancelled', 'deleted', 'patient-merged', 'patient-deleted']),
  }),
  example: {
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    study_id: '17',
    study_uid: '1.2.840.1',
    session_id: 's-1',
    withdrawals: 1,
    why: 'entered-in-error',
  },
});
