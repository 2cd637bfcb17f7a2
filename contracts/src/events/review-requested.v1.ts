import { z } from 'zod';
import { patientKey } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

export const reviewRequested = defineEvent({
  type: 'review.requested.v1',
  from: ['ingestion', 'preprocessing', 'feature-store', 'prediction'],
  to: ['results'],
  says: 'why a person must look',
  data: z.object({
    patient_key: patientKey,
    about: z.enum(['study', 'session', 'run', 'feature-set', 'forecast']),
    id: z.string(),
    code: z.string(),
    reason: z.string(),
  }),
  example: {
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    about: 'run',
    id: 'r-0123456789abcdef',
    code: 'QC_REVIEW',
    reason: 'registration fell back to affine',
  },
});
