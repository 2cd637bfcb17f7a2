/** Records as the API answers with them. */
import type { Priority, RunView } from '@engram/contracts';
import type { RunRecord } from './model.ts';

export interface RunSummary {
  readonly id: string;
  readonly study_id: string;
  readonly study_uid: string;
  readonly pipeline: RunView['pipeline'];
  readonly status: RunView['status'];
  readonly created_at: string;
  readonly estimated_completion: string | null;
}

/** The T1's study stands for the run. `typical` is the median of earlier runs' seconds. */
export function summaryOf(run: RunRecord, typical: number | null): RunSummary {
  const study = run.studies.find((entry) => entry.role === 't1') ?? run.studies[0];
  const left = run.seconds_left ?? (run.fraction === 0 ? typical : null);
  return {
    id: run.run_id,
    study_id: study?.study_id ?? '',
    study_uid: study?.study_uid ?? '',
    pipeline: run.pipeline,
    status: run.status,
    created_at: run.created_at,
    estimated_completion: left === null ? null : new Date(Date.parse(run.updated_at) + left * 1000).toISOString(),
  };
}

export function viewOf(run: RunRecord, typical: number | null): RunView {
  const priority: Priority = run.priority;
  return {
    ...summaryOf(run, typical),
    session_id: run.session_id,
    session_date: run.session_date,
    priority,
    fraction: run.fraction,
    seconds_left: run.seconds_left,
    tasks: [...run.tasks],
    qc_verdict: run.qc_verdict,
    error: run.error,
    trace_id: run.trace_id,
    updated_at: run.updated_at,
  };
}
