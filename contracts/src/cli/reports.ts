/** What the command line prints under --json: a public contract, one schema a command. */
import { z } from 'zod';
import { qualityMetrics } from '../artifacts/quality-metrics.ts';
import { forecast } from '../http/forecast.ts';
import { qcVerdict, runStatus, sha256 } from '../vocabulary.ts';

export const processReport = z.object({
  status: z.enum(['completed', 'failed']),
  artifacts: z.array(z.object({ name: z.string(), path: z.string(), sha256 })),
  qc: qualityMetrics,
  durations: z.record(z.string(), z.number()),
  cpu_seconds: z.number(),
  peak_memory_mb: z.number(),
  device: z.string(),
  version: z.string(),
});
export type ProcessReport = z.infer<typeof processReport>;

export const registerReport = z.object({
  cpu_seconds: z.number(),
  wall_seconds: z.number(),
  peak_memory_mb: z.number(),
  jacobian_min: z.number(),
  folded_voxels: z.int(),
  inverse_consistency_mm: z.object({ mean: z.number(), p95: z.number(), max: z.number() }),
  device: z.string(),
  seed: z.int(),
  version: z.string(),
});
export type RegisterReport = z.infer<typeof registerReport>;

export const demoReport = z.object({
  sessions: z.array(
    z.object({
      session_date: z.string(),
      study_id: z.string(),
      run_id: z.string(),
      trace_id: z.string(),
      status: runStatus,
      qc: z.looseObject({ verdict: qcVerdict }),
      features: z.object({ mri: z.int(), pet: z.int() }),
    }),
  ),
  forecast: forecast
    .pick({
      predictions: true,
      intervals: true,
      confidence_scores: true,
      model_version: true,
      warnings: true,
    })
    .nullable()
    .describe('null where no forecast can be supported: a scan without scores'),
  write_back: z.object({ resources: z.int() }),
  durations: z.looseObject({ setup_s: z.number(), total_s: z.number() }),
  urls: z.record(z.string(), z.string()),
});
export type DemoReport = z.infer<typeof demoReport>;

export const errorReport = z.object({
  error: z.object({ code: z.string(), message: z.string(), file: z.string().optional(), field: z.string().optional() }),
});

export const deadLettersReport = z.object({
  dead_letters: z.array(
    z.object({
      service: z.string(),
      type: z.string(),
      event_id: z.string(),
      subject: z.string(),
      attempts: z.int(),
      first_failure: z.string(),
      last_failure: z.string(),
      cause: z.object({ code: z.string(), message: z.string() }),
    }),
  ),
});
export type DeadLettersReport = z.infer<typeof deadLettersReport>;

export const redriveReport = z.object({ redriven: z.int() });

export const replayReport = z.object({
  service: z.string(),
  since: z.string(),
  forgotten: z.int().describe('events that the service no longer remembers to have handled'),
});

export const reprocessReport = z.object({
  request_id: z.string(),
  runs: z.array(z.object({ study_id: z.string(), run_id: z.string() })),
  refused: z.array(z.object({ study_id: z.string(), code: z.string(), message: z.string() })),
});
export type ReprocessReport = z.infer<typeof reprocessReport>;
