import { z } from 'zod';
import { patientKey, pipelineName, priority, sessionDate, sessionVersion } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

/** Where one image of a run comes from. Exactly one way of the three. */
export const imageSource = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('dicomweb'),
    base: z.string(),
    study_uid: z.string(),
    series_uid: z.string(),
    instances: z.int().min(0),
  }),
  z.object({
    kind: z.literal('url'),
    url: z.string().describe('file:// or s3:// or https:// of a NIfTI or DICOM folder'),
  }),
  z.object({ kind: z.literal('object'), key: z.string(), sha256: z.string() }),
]);
export type ImageSource = z.infer<typeof imageSource>;

export const runInput = z.object({
  role: z.enum(['t1', 'pet']),
  study_id: z.string(),
  study_uid: z.string(),
  study_version: z.string(),
  series_uid: z.string(),
  source: imageSource,
  tracer: z.string().nullable(),
  acquired: z.string().nullable().describe('date as written'),
  reason: z.string(),
  withdrawals: z.int().min(0).optional().describe('how often the study had been withdrawn when the image was chosen'),
});
export type RunInput = z.infer<typeof runInput>;

export const runRequested = defineEvent({
  type: 'run.requested.v1',
  from: ['ingestion', 'results'],
  to: ['preprocessing'],
  says: 'pipeline, inputs, parameters, priority: the only thing that starts a run',
  data: z.object({
    run_id: z.string().describe('hash(pipeline, version, inputs, parameters, request id)'),
    pipeline: pipelineName,
    patient_key: patientKey,
    patient_id: z.string(),
    patient_reference: z.string(),
    session_id: z.string(),
    session_date: sessionDate,
    session_version: sessionVersion,
    inputs: z.array(runInput).min(1),
    parameters: z.record(z.string(), z.unknown()),
    priority,
    request_id: z.string(),
    requested_by: z.enum(['ingestion', 'api', 'reprocess', 'retry']),
    awaiting_pet: z.boolean(),
  }),
  example: {
    run_id: 'r-0123456789abcdef',
    pipeline: 'adni',
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    patient_id: '1',
    patient_reference: 'Patient/1',
    session_id: 's-1',
    session_date: '2024-01-15',
    session_version: 1,
    inputs: [
      {
        role: 't1',
        study_id: '17',
        study_uid: '1.2.840.1',
        study_version: '5feceb66ffc86f38',
        series_uid: '1.2.840.1.1',
        source: { kind: 'url', url: 'file:///data/t1.nii.gz' },
        tracer: null,
        acquired: '2024-01-15',
        reason: 'MPRAGE, 1.0 mm, no contrast',
        withdrawals: 0,
      },
    ],
    parameters: {},
    priority: 'normal',
    request_id: 'ready',
    requested_by: 'ingestion',
    awaiting_pet: true,
  },
});
