/** What an event means for the projections. Pure: event and state in, next state out; undefined leaves it as it is. */
import type { EngramEvent, events, RunStatus } from '@engram/contracts';
import type { z } from 'zod';
import { type FeatureSetRecord, type ForecastRecord, type RunRecord, type StudyRecord, traceIdOf } from './model.ts';

type DataOf<K extends keyof typeof events> = z.infer<(typeof events)[K]['data']>;

const ENDED: readonly RunStatus[] = ['completed', 'failed', 'cancelled'];
export const hasEnded = (status: RunStatus): boolean => ENDED.includes(status);

const freshRun = (
  event: EngramEvent<{ run_id: string; patient_key: string; session_id: string; session_date: string }>,
): RunRecord => ({
  run_id: event.data.run_id,
  pipeline: 'adni',
  patient_key: event.data.patient_key,
  session_id: event.data.session_id,
  session_date: event.data.session_date,
  studies: [],
  status: 'created',
  priority: 'normal',
  fraction: 0,
  seconds_left: null,
  tasks: [],
  qc_verdict: null,
  qc_reasons: [],
  error: null,
  seconds: null,
  trace_id: traceIdOf(event.traceparent),
  created_at: event.time,
  updated_at: event.time,
  version: 0,
  commands: 0,
});

/** Progress says less than an end: it never reopens an ended run unless the run was retried (a later version). */
export function decideProgress(
  current: RunRecord | undefined,
  event: EngramEvent<DataOf<'runProgressed'>>,
): RunRecord | undefined {
  const run = current ?? freshRun(event);
  if (event.subjectversion <= run.version) return undefined;
  const { data } = event;
  const tasks =
    data.task === null || data.task_status === null
      ? run.tasks
      : [...run.tasks.filter((task) => task.name !== data.task), { name: data.task, status: data.task_status }];
  return {
    ...run,
    pipeline: data.pipeline,
    session_version: data.session_version ?? run.session_version,
    priority: data.priority,
    studies: data.studies,
    status: data.run_status,
    tasks,
    fraction: data.fraction,
    seconds_left: data.seconds_left,
    error: hasEnded(data.run_status) ? run.error : null,
    trace_id: run.trace_id ?? traceIdOf(event.traceparent),
    updated_at: event.time,
    version: event.subjectversion,
  };
}

type EndedData = DataOf<'runCompleted'> | DataOf<'runFailed'> | DataOf<'runCancelled'>;

export function decideEnded(current: RunRecord | undefined, event: EngramEvent<EndedData>): RunRecord | undefined {
  const run = current ?? freshRun(event);
  if (event.subjectversion < run.version || (event.subjectversion === run.version && hasEnded(run.status)))
    return undefined;
  const { data } = event;
  const common: RunRecord = {
    ...run,
    pipeline: data.pipeline,
    session_version: data.session_version ?? run.session_version,
    studies: data.studies.map(({ role, study_id, study_uid }) => ({ role, study_id, study_uid })),
    seconds: data.durations['total_s'] ?? null,
    seconds_left: null,
    trace_id: run.trace_id ?? traceIdOf(event.traceparent),
    updated_at: event.time,
    version: event.subjectversion,
  };
  if ('artifacts' in data) {
    return {
      ...common,
      status: 'completed',
      fraction: 1,
      qc_verdict: data.qc_verdict,
      qc_reasons: data.qc_reasons,
      error: null,
    };
  }
  if ('error' in data)
    return { ...common, status: 'failed', error: { code: data.error.code, message: data.error.message } };
  return { ...common, status: 'cancelled', error: { code: 'RUN_CANCELLED', message: data.reason } };
}

/** The ImagingStudy status that a run's state means. */
export function statusOfRun(status: RunStatus): 'queued' | 'in-progress' | 'completed' | 'failed' | 'cancelled' {
  if (status === 'created') return 'queued';
  return status === 'validating' || status === 'executing' ? 'in-progress' : status;
}

export function decideStudy(
  current: StudyRecord | undefined,
  event: EngramEvent<DataOf<'studyReceived'>>,
): StudyRecord | undefined {
  if (current !== undefined && event.subjectversion <= current.version) return undefined;
  const { data } = event;
  return {
    study_id: data.study_id,
    study_uid: data.study_uid,
    patient_key: data.patient_key,
    study_version: data.study_version,
    session_id: data.session_id,
    session_date: data.session_date,
    state: data.state,
    series: data.series,
    awaiting: data.awaiting,
    retracted: null,
    version: event.subjectversion,
  };
}

export function decideRetracted(
  current: StudyRecord | undefined,
  event: EngramEvent<DataOf<'studyRetracted'>>,
): StudyRecord | undefined {
  if (current !== undefined && event.subjectversion <= current.version) return undefined;
  const base: StudyRecord = current ?? {
    study_id: event.data.study_id,
    study_uid: event.data.study_uid,
    patient_key: event.data.patient_key,
    study_version: '',
    session_id: event.data.session_id,
    session_date: null,
    state: 'retracted',
    series: [],
    awaiting: [],
    retracted: null,
    version: event.subjectversion,
  };
  return {
    ...base,
    state: 'retracted',
    retracted: event.data.why,
    version: event.subjectversion,
  };
}

export function decideFeatures(
  current: FeatureSetRecord | undefined,
  event: EngramEvent<DataOf<'featuresStored'>>,
): FeatureSetRecord | undefined {
  if (current !== undefined && event.subjectversion <= current.sequence) return undefined;
  const { data } = event;
  return {
    feature_set_id: data.feature_set_id,
    patient_key: data.patient_key,
    session_id: data.session_id,
    session_date: data.session_date,
    version: data.version,
    sequence: event.subjectversion,
    qc_verdict: data.qc_verdict,
    mri: data.mri,
    pet: data.pet,
    withdrawn: data.withdrawn,
    study_ids: data.studies.map((study) => study.study_id),
    stored_at: event.time,
  };
}

export const isKnown = (current: ForecastRecord | undefined, { subjectversion }: Pick<EngramEvent, 'subjectversion'>) =>
  current !== undefined && (current.sequence ?? 1) >= subjectversion;

export function decideForecast(
  current: ForecastRecord | undefined,
  event: EngramEvent<DataOf<'forecastMade'> | DataOf<'forecastRefused'>>,
  studyIds: readonly string[],
): ForecastRecord | undefined {
  if (isKnown(current, event)) return undefined;
  const { data } = event;
  const made = 'forecast_id' in data;
  return {
    forecast_id: made ? data.forecast_id : null,
    patient_key: data.patient_key,
    patient_id: data.patient_id,
    model_version: made ? data.model_version : null,
    feature_set_ids: data.feature_sets.map((set) => set.feature_set_id),
    study_ids: studyIds,
    refused: made ? null : { code: data.code, reason: data.reason },
    withdrawn: made && data.withdrawn === true,
    sequence: event.subjectversion,
    at: event.time,
  };
}

/** Median of the last runs' seconds: what an estimate of completion rests on; null before the first. */
export function typicalSeconds(seconds: readonly number[]): number | null {
  if (seconds.length === 0) return null;
  const sorted = [...seconds].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** Whether a command makes sense in a state: cancel and re-prioritise what has not ended, retry what failed or was cancelled. */
export function allows(command: 'cancel' | 'retry' | 'prioritise', status: RunStatus): boolean {
  return command === 'retry' ? status === 'failed' || status === 'cancelled' : !hasEnded(status);
}

export const commandId = (runId: string, sequence: number): string => `${runId}.c${sequence}`;

export type { DataOf };
