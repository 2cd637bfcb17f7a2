/** Runs by API: request, look up, cancel, retry, change priority (served by results). */
import { z } from 'zod';
import { pipelineName, priority, runStatus, taskStatus } from '../vocabulary.ts';

export const createRunRequest = z.object({
  study_id: z.string().min(1).describe('FHIR ImagingStudy id'),
  pipeline: pipelineName.default('adni'),
  priority: priority.default('normal'),
  parameters: z.record(z.string(), z.unknown()).default({}),
  /** Sent again with the same id, nothing happens twice. */
  request_id: z.string().min(1).max(64).optional(),
});

export const createRunResponse = z.object({
  id: z.string(),
  study_id: z.string(),
  study_uid: z.string(),
  pipeline: pipelineName,
  status: runStatus,
  created_at: z.string(),
  estimated_completion: z.string().nullable(),
});

export const runView = createRunResponse.extend({
  session_id: z.string(),
  session_date: z.string(),
  priority,
  fraction: z.number(),
  seconds_left: z.number().nullable(),
  tasks: z.array(z.object({ name: z.string(), status: taskStatus })),
  qc_verdict: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  trace_id: z.string().nullable(),
  updated_at: z.string(),
});
export type RunView = z.infer<typeof runView>;

export const runPage = z.object({ runs: z.array(runView), next: z.string().nullable() });
export type RunPage = z.infer<typeof runPage>;

export const priorityRequest = z.object({ priority });
export const cancelRequest = z.object({ reason: z.string().max(500).default('cancelled by API') });
