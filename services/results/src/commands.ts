/** What the runs API does: asks for a run, or commands one. Each call leaves one event through the outbox of its record. */
import {
  type EngramEvent,
  events,
  makeEvent,
  PIPELINE_VERSIONS,
  type Priority,
  type RunInput,
  runIdOf,
  type SessionView,
} from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { modify } from '@engram/records';
import type { z } from 'zod';
import { allows, commandId } from './decide.ts';
import type { RunRecord } from './model.ts';
import type { ResultsStore } from './store.ts';

export interface CommandDeps {
  readonly store: ResultsStore;
  readonly now: () => Date;
  /** Contract HTTP of ingestion. */
  readonly readSession: (sessionId: string) => Promise<SessionView | undefined>;
  readonly traceparent: () => string | undefined;
}

export interface RunRequest {
  readonly study_id: string;
  readonly pipeline: RunRecord['pipeline'];
  readonly priority: Priority;
  readonly parameters: Record<string, unknown>;
  readonly request_id: string;
}

/**
 * Asks for a run of the session that a study belongs to. The same request twice is one run.
 * @throws STUDY_NOT_FOUND; STUDY_NOT_RUNNABLE with what is still awaited; REQUEST_INVALID for a pipeline that is not there.
 */
export async function requestRun(deps: CommandDeps, request: RunRequest): Promise<RunRecord> {
  if (PIPELINE_VERSIONS[request.pipeline] === undefined) {
    throw new EngramError('REQUEST_INVALID', `the pipeline ${request.pipeline} is not available here`, {
      field: 'pipeline',
    });
  }
  const study = (await deps.store.studies.get(request.study_id))?.value;
  if (study === undefined) throw new EngramError('STUDY_NOT_FOUND', 'the study is not known', { field: 'study_id' });
  if (study.session_id === null || study.retracted !== null) {
    const why = study.retracted ?? (study.awaiting.map((entry) => entry.why).join('; ') || 'no T1 was found in it');
    throw new EngramError('STUDY_NOT_RUNNABLE', `the study cannot be run: ${why}`, { field: 'study_id' });
  }
  const session = await deps.readSession(study.session_id);
  if (session === undefined || session.session_date === null || session.inputs.length === 0) {
    const why = session?.awaiting.map((entry) => entry.why).join('; ') || 'its session has no images yet';
    throw new EngramError('STUDY_NOT_RUNNABLE', `the study cannot be run: ${why}`, { field: 'study_id' });
  }
  const inputs: RunInput[] = session.inputs;
  const runId = runIdOf({
    pipeline: request.pipeline,
    inputs,
    parameters: request.parameters,
    requestId: request.request_id,
  });
  const now = deps.now();
  const traceparent = deps.traceparent();
  const record: RunRecord = {
    run_id: runId,
    pipeline: request.pipeline,
    patient_key: session.patient_key,
    session_id: session.session_id,
    session_date: session.session_date,
    session_version: session.version,
    studies: inputs.map(({ role, study_id, study_uid }) => ({ role, study_id, study_uid })),
    status: 'created',
    priority: request.priority,
    fraction: 0,
    seconds_left: null,
    tasks: [],
    qc_verdict: null,
    qc_reasons: [],
    error: null,
    seconds: null,
    trace_id: traceparent?.split('-')[1] ?? null,
    created_at: now.toISOString(),
    updated_at: now.toISOString(),
    version: 0,
    commands: 0,
  };
  const event = makeEvent(events.runRequested, {
    source: '/engram/results',
    subject: runId,
    subjectVersion: 1,
    patientKey: session.patient_key,
    time: now,
    traceparent,
    data: {
      run_id: runId,
      pipeline: request.pipeline,
      patient_key: session.patient_key,
      patient_id: session.patient_id,
      patient_reference: session.patient_reference,
      session_id: session.session_id,
      session_date: session.session_date,
      session_version: session.version,
      inputs,
      parameters: request.parameters,
      priority: request.priority,
      request_id: request.request_id,
      requested_by: 'api',
      awaiting_pet: !inputs.some((input) => input.role === 'pet'),
    },
  });
  const stored = await modify(deps.store.runs, runId, (current) =>
    current === undefined ? { value: record, options: { events: [event] } } : undefined,
  );
  return stored?.value ?? record;
}

type Command = z.infer<typeof events.runCommanded.data>['command'];

/**
 * Commands a run. A cancel or priority that is already so is commanded again without harm.
 * @throws RUN_NOT_FOUND; RUN_ENDED; RUN_NOT_RETRYABLE.
 */
export async function commandRun(deps: CommandDeps, runId: string, command: Command): Promise<RunRecord> {
  const now = deps.now();
  const stored = await modify(deps.store.runs, runId, (run) => {
    if (run === undefined) throw new EngramError('RUN_NOT_FOUND', 'there is no such run', { field: 'id' });
    if (!allows(command.name, run.status)) {
      if (command.name === 'retry')
        throw new EngramError('RUN_NOT_RETRYABLE', `the run is ${run.status}`, { field: 'id' });
      throw new EngramError('RUN_ENDED', `the run has ended: it is ${run.status}`, { field: 'id' });
    }
    const sequence = run.commands + 1;
    const event: EngramEvent = makeEvent(events.runCommanded, {
      source: '/engram/results',
      subject: runId,
      subjectVersion: sequence,
      patientKey: run.patient_key,
      time: now,
      traceparent: deps.traceparent(),
      data: { run_id: runId, patient_key: run.patient_key, command_id: commandId(runId, sequence), command },
    });
    return { value: { ...run, commands: sequence, updated_at: now.toISOString() }, options: { events: [event] } };
  });
  if (stored === undefined) throw new EngramError('RUN_NOT_FOUND', 'there is no such run', { field: 'id' });
  return stored.value;
}
