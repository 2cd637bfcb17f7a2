import { z } from 'zod';
import {
  patientKey,
  pipelineName,
  priority,
  runStatus,
  sessionDate,
  sessionVersion,
  taskStatus,
} from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

export const runProgressed = defineEvent({
  type: 'run.progressed.v1',
  from: ['preprocessing'],
  to: ['results'],
  says: 'task, fraction done, seconds left',
  data: z.object({
    run_id: z.string(),
    patient_key: patientKey,
    session_id: z.string(),
    session_date: sessionDate,
    session_version: sessionVersion,
    pipeline: pipelineName,
    priority,
    studies: z.array(z.object({ role: z.enum(['t1', 'pet']), study_id: z.string(), study_uid: z.string() })),
    run_status: runStatus,
    task: z.string().nullable().describe('null for a change of the run itself'),
    task_status: taskStatus.nullable(),
    fraction: z.number().min(0).max(1).describe('of the whole run'),
    seconds_left: z.number().min(0).nullable(),
  }),
  example: {
    run_id: 'r-0123456789abcdef',
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    session_id: 's-1',
    session_date: '2024-01-15',
    session_version: 1,
    pipeline: 'adni',
    priority: 'normal',
    studies: [{ role: 't1', study_id: '17', study_uid: '1.2.840.1' }],
    run_status: 'executing',
    task: 'n4',
    task_status: 'completed',
    fraction: 0.2,
    seconds_left: 40,
  },
});
