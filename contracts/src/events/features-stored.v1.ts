import { z } from 'zod';
import { patientKey, qcVerdict, sessionDate } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

export const featuresStored = defineEvent({
  type: 'features.stored.v1',
  from: ['feature-store'],
  to: ['prediction', 'results'],
  says: 'feature set id, version, QC verdict',
  data: z.object({
    feature_set_id: z.string(),
    version: z.int().min(1),
    digest: z.string(),
    run_id: z.string(),
    patient_key: patientKey,
    patient_id: z.string(),
    patient_reference: z.string(),
    session_id: z.string(),
    session_date: sessionDate,
    qc_verdict: qcVerdict,
    mri: z.boolean(),
    pet: z.boolean(),
    awaiting_pet: z.boolean(),
    withdrawn: z.boolean(),
    features_key: z.string().describe('object-store key of roi_features.json'),
    studies: z.array(
      z.object({ role: z.enum(['t1', 'pet']), study_id: z.string(), study_uid: z.string(), study_version: z.string() }),
    ),
  }),
  example: {
    feature_set_id: 'fs-1',
    version: 1,
    digest: '0'.repeat(64),
    run_id: 'r-0123456789abcdef',
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    patient_id: '1',
    patient_reference: 'Patient/1',
    session_id: 's-1',
    session_date: '2024-01-15',
    qc_verdict: 'pass',
    mri: true,
    pet: true,
    awaiting_pet: false,
    withdrawn: false,
    features_key: 'preprocessed/abcdefghijklmnopqrstuvwxyz/2024-01-15/roi_features.json',
    studies: [{ role: 't1', study_id: '17', study_uid: '1.2.840.1', study_version: '5feceb66ffc86f38' }],
  },
});
