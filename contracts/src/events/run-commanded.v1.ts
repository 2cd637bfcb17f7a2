import { z } from 'zod';
import { patientKey, priority } from '../vocabulary.ts';
import { defineEvent } from './envelope.ts';

export const runCommanded = defineEvent({
  type: 'run.commanded.v1',
  from: ['results'],
  to: ['preprocessing'],
  says: 'cancel, retry, change priority',
  data: z.object({
    run_id: z.string(),
    patient_key: patientKey,
    command_id: z.string(),
    command: z.discriminatedUnion('name', [
      z.object({ name: z.literal('cancel'), reason: z.string() }),
      z.object({ name: z.literal('retry') }),
      z.object({ name: z.literal('prioritise'), priority }),
    ]),
  }),
  example: {
    run_id: 'r-0123456789abcdef',
    patient_key: 'abcdefghijklmnopqrstuvwxyz',
    command_id: 'c-1',
    command: { name: 'cancel', reason: 'wrong patient' },
  },
});
