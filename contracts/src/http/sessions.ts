/** Sessions as ingestion answers with them: what a run of a session is made of (`GET /api/v1/sessions/{id}`). */
import { z } from 'zod';
import { runInput } from '../events/run-requested.v1.ts';
import { patientKey, sessionDate } from '../vocabulary.ts';

export const sessionView = z.object({
  session_id: z.string(),
  /** Grows with every change of the session. */
  version: z.int().min(1),
  patient_key: patientKey,
  patient_id: z.string(),
  patient_reference: z.string(),
  session_date: sessionDate.nullable(),
  state: z.enum(['ready', 'waiting', 'unusable', 'retracted']),
  inputs: z.array(runInput).describe('what a run would take now: the T1, and the PET where there is one'),
  awaiting: z.array(z.object({ what: z.enum(['instances', 'quiet', 't1', 'pet']), why: z.string() })),
});
export type SessionView = z.infer<typeof sessionView>;
