import { z } from 'zod';
import { patientKey, pipelineName, qcVerdict, sessionDate, sessionVersion, sha256 } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';
import { runInput } from './run-requested.v1.ts';

export const artifactReference = z.object({
  name: z.string().describe('file name of the seed layout, such as mri_brain.nii.gz'),
  key: z.string().describe('object-store key'),
  sha256,
  bytes: z.int().min(0),
});
export type ArtifactReference = z.infer<typeof artifactReference>;

const ended = {
  run_id: z.string(),
  pipeline: pipelineName,
  patient_key: patientKey,
  patient_id: z.string(),
  patient_reference: z.string(),
  session_id: z.string(),
  session_date: sessionDate,
  session_version: sessionVersion,
  studies: z.array(
    z.object({
      role: z.enum(['t1', 'pet']),
      study_id: z.string(),
      study_uid: z.string(),
      study_version: z.string(),
      withdrawals: runInput.shape.withdrawals,
    }),
  ),
  durations: z.record(z.string(), z.number().min(0)).describe('seconds per task, and total_s'),
};

const endedExample = {
  run_id: 'r-0123456789abcdef',
  pipeline: 'adni' as const,
  patient_key: 'abcdefghijklmnopqrstuvwxyz',
  patient_id: '1',
  patient_reference: 'Patient/1',
  session_id: 's-1',
  session_date: '2024-01-15',
  session_version: 1,
  studies: [
    { role: 't1' as const, study_id: '17', study_uid: '1.2.840.1', study_version: '5feceb66ffc86f38', withdrawals: 0 },
  ],
  durations: { n4: 3.2, total_s: 30.1 },
};

export const runCompleted = defineEvent({
  type: 'run.completed.v1',
  from: ['preprocessing'],
  to: ['feature-store', 'results'],
  says: 'artifacts, QC, durations',
  data: z.object({
    ...ended,
    artifacts: z.array(artifactReference),
    qc_verdict: qcVerdict,
    qc_reasons: z.array(z.string()),
    awaiting_pet: z.boolean(),
  }),
  example: {
    ...endedExample,
    artifacts: [{ name: 'roi_features.json', key: 'runs/r/roi_features.json', sha256: '0'.repeat(64), bytes: 2048 }],
    qc_verdict: 'pass',
    qc_reasons: [],
    awaiting_pet: true,
  },
});

export const runFailed = defineEvent({
  type: 'run.failed.v1',
  from: ['preprocessing'],
  to: ['feature-store', 'results'],
  says: 'error code, task, retryable or not',
  data: z.object({
    ...ended,
    task: z.string().nullable(),
    error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean(), attempts: z.int().min(1) }),
  }),
  example: {
    ...endedExample,
    task: 'convert-t1',
    error: {
      code: 'NIFTI_TRUNCATED',
      message: 't1.nii.gz holds fewer voxels than its header says',
      retryable: false,
      attempts: 1,
    },
  },
});

export const runCancelled = defineEvent({
  type: 'run.cancelled.v1',
  from: ['preprocessing'],
  to: ['feature-store', 'results'],
  says: 'that a run was cancelled and why',
  data: z.object({ ...ended, reason: z.string() }),
  example: { ...endedExample, reason: 'wrong patient' },
});
