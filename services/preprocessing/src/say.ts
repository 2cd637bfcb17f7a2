/** The events of a run, each with the next version of its subject. Pure. */
import { type EngramEvent, events, makeEvent } from '@engram/contracts';
import type { Run, RunError, RunResult, RunTask } from './run.ts';

const SOURCE = '/engram/preprocessing';

const facts = <D>(run: Run, now: Date, data: D) => ({
  source: SOURCE,
  subject: run.run_id,
  subjectVersion: run.version,
  patientKey: run.patient_key,
  time: now,
  traceparent: run.traceparent,
  data,
});

const ended = (run: Run, durations: Readonly<Record<string, number>>) => ({
  run_id: run.run_id,
  pipeline: run.pipeline,
  patient_key: run.patient_key,
  patient_id: run.patient_id,
  patient_reference: run.patient_reference,
  session_id: run.session_id,
  session_date: run.session_date,
  session_version: run.session_version,
  studies: run.inputs.map(({ role, study_id, study_uid, study_version, withdrawals }) => ({
    role,
    study_id,
    study_uid,
    study_version,
    withdrawals,
  })),
  durations: { ...durations },
});

/** `task` null: the run itself changed. */
export const sayProgressed = (run: Run, task: RunTask | null, now: Date): EngramEvent =>
  makeEvent(
    events.runProgressed,
    facts(run, now, {
      run_id: run.run_id,
      patient_key: run.patient_key,
      session_id: run.session_id,
      session_date: run.session_date,
      session_version: run.session_version,
      pipeline: run.pipeline,
      priority: run.priority,
      studies: run.inputs.map(({ role, study_id, study_uid }) => ({ role, study_id, study_uid })),
      run_status: run.status,
      task: task?.name ?? null,
      task_status: task?.status ?? null,
      fraction: run.fraction,
      seconds_left: run.seconds_left,
    }),
  );

export const sayCompleted = (run: Run, result: RunResult, now: Date): EngramEvent =>
  makeEvent(
    events.runCompleted,
    facts(run, now, {
      ...ended(run, result.durations),
      artifacts: [...result.artifacts],
      qc_verdict: result.qc_verdict,
      qc_reasons: [...result.qc_reasons],
      awaiting_pet: run.awaiting_pet,
    }),
  );

export const sayFailed = (run: Run, { task, ...error }: RunError, now: Date): EngramEvent =>
  makeEvent(
    events.runFailed,
    facts(run, now, {
      ...ended(run, durationsOf(run, now)),
      task,
      error: { ...error, attempts: Math.max(1, run.attempts) },
    }),
  );

export const sayCancelled = (run: Run, reason: string, now: Date): EngramEvent =>
  makeEvent(events.runCancelled, facts(run, now, { ...ended(run, durationsOf(run, now)), reason }));

export const sayReview = (run: Run, code: string, reason: string, now: Date): EngramEvent =>
  makeEvent(
    events.reviewRequested,
    facts(run, now, { patient_key: run.patient_key, about: 'run' as const, id: run.run_id, code, reason }),
  );

/** Seconds per finished task, and in all since the run was first claimed. */
function durationsOf(run: Run, now: Date): Record<string, number> {
  const tasks = run.tasks.filter((task) => task.seconds > 0).map((task) => [task.name, task.seconds] as const);
  const total = run.started_at === null ? 0 : Math.max(0, (now.getTime() - Date.parse(run.started_at)) / 1000);
  return { ...Object.fromEntries(tasks), total_s: total };
}
