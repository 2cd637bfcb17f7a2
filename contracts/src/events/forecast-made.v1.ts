import { z } from 'zod';
import { patientKey } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

const subject = { patient_key: patientKey, patient_id: z.string(), patient_reference: z.string() };
const featureSets = z.array(z.object({ feature_set_id: z.string(), version: z.int().min(1), session_id: z.string() }));
const subjectExample = { patient_key: 'abcdefghijklmnopqrstuvwxyz', patient_id: '1', patient_reference: 'Patient/1' };

export const forecastMade = defineEvent({
  type: 'forecast.made.v1',
  from: ['prediction'],
  to: ['results'],
  says: 'forecast id, model version, feature set versions; or that it no longer stands',
  data: z.object({
    ...subject,
    forecast_id: z.string(),
    model_version: z.string(),
    feature_sets: featureSets,
    withdrawn: z.boolean().optional().describe('true: the forecast no longer stands'),
  }),
  example: {
    ...subjectExample,
    forecast_id: 'f-1',
    model_version: 'engram-progression-0.1.0',
    feature_sets: [{ feature_set_id: 'fs-1', version: 1, session_id: 's-1' }],
    withdrawn: false,
  },
});

export const forecastRefused = defineEvent({
  type: 'forecast.refused.v1',
  from: ['prediction'],
  to: ['results'],
  says: 'why no forecast can be made',
  data: z.object({ ...subject, code: z.string(), reason: z.string(), feature_sets: featureSets }),
  example: { ...subjectExample, code: 'FORECAST_NO_SCORES', reason: 'no measured score is known', feature_sets: [] },
});
