/** The record of a run: what was asked for, where it stands, what came of it. */
import type { ArtifactReference, events, QcVerdict, RunStatus, TaskStatus, Withdrawal } from '@engram/contracts';
import type { z } from 'zod';

export type Requested = z.infer<typeof events.runRequested.data>;

export interface RunTask {
  readonly name: string;
  readonly status: TaskStatus;
  /** Found finished, not done again. */
  readonly reused: boolean;
  readonly seconds: number;
}

export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly task: string | null;
}

export interface RunResult {
  readonly artifacts: readonly ArtifactReference[];
  readonly qc_verdict: QcVerdict;
  readonly qc_reasons: readonly string[];
  readonly durations: Readonly<Record<string, number>>;
}

export interface Run extends Requested {
  readonly status: RunStatus;
  /** Index of `priority` among PRIORITIES: the larger is claimed earlier. */
  readonly rank: number;
  readonly requested_at: string;
  /** True until the run has ended: what a worker may claim. */
  readonly open: boolean;
  /** Epoch ms before which a failed run is not tried again. */
  readonly not_before: number;
  /** Claims so far, this one included. */
  readonly attempts: number;
  /** Version of the last event said about this run. */
  readonly version: number;
  readonly tasks: readonly RunTask[];
  readonly fraction: number;
  readonly seconds_left: number | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly error: RunError | null;
  readonly result: RunResult | null;
  /** Commands carried out, so that a repeat does nothing. */
  readonly commands: readonly string[];
  readonly traceparent: string | undefined;
}

/** A study withdrawn at its source: no run that chose its images before may use them. */
export interface Retraction extends Withdrawal {
  readonly study_id: string;
  readonly why: string;
}
