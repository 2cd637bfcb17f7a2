/**
 * The workers. Each claims the most urgent free run under a lease, works on it, and says what came of it in the same
 * write that changes the run. Killed at any point, it costs one lease time: the next claim finds every finished task.
 */
import { randomUUID } from 'node:crypto';
import { type ArtifactReference, artifactKey } from '@engram/contracts';
import { asEngramError, EngramError, isEngramError } from '@engram/errors';
import type { Objects } from '@engram/objects';
import type { TaskStore } from '@engram/pipelines';
import { count, type Logger, observe, traceparent, withoutTrace, withSpan, withTraceparent } from '@engram/telemetry';
import {
  type Change,
  decideClaimed,
  decideCompleted,
  decideExecuting,
  decideFailed,
  decideHandedBack,
  decideInTurn,
  decideProgress,
  isCurrent,
  isEarlier,
} from './decide.ts';
import type { Run, RunResult } from './run.ts';
import { failedTask, type LocalInput, type PipelineOutcome, type PipelineRunner } from './runner.ts';
import type { RunStore } from './store.ts';
import type { Surroundings, WorkFolder } from './surroundings.ts';
import { throttle } from './throttle.ts';

export interface WorkTimes {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** How often an idle worker looks for a run that no wake-up told of. */
  readonly idleMs: number;
  /** Between two progress events of one task. */
  readonly progressMs: number;
}

export const WORK_TIMES: WorkTimes = { leaseMs: 30_000, heartbeatMs: 10_000, idleMs: 1_000, progressMs: 2_000 };

export interface WorkDeps {
  readonly store: RunStore;
  readonly objects: Objects;
  readonly tasks: TaskStore;
  readonly runner: PipelineRunner;
  readonly fetchInputs: (run: Run, folder: string, signal: AbortSignal) => Promise<readonly LocalInput[]>;
  readonly logger: Logger;
  readonly times: WorkTimes;
  readonly surroundings: Surroundings;
  readonly now: () => Date;
}

export interface Workers {
  /** Looks for runs now, and has those under way look whether they are still wanted. */
  wake(): void;
  /** Hands back what is under way; resolves when every worker has stopped. */
  stop(): Promise<void>;
}

export function startWorkers(deps: WorkDeps, workerCount: number): Workers {
  const stopping = new AbortController();
  const sleepers = new Set<AbortController>();
  const checks = new Set<() => void>();
  let restless = false;

  async function idle(): Promise<void> {
    const alarm = new AbortController();
    sleepers.add(alarm);
    await deps.surroundings.pause(deps.times.idleMs, AbortSignal.any([alarm.signal, stopping.signal]));
    sleepers.delete(alarm);
  }

  async function loop(): Promise<void> {
    const owner = randomUUID();
    while (!stopping.signal.aborted) {
      restless = false;
      try {
        const claimed = await deps.store.claim(owner, deps.times.leaseMs, deps.now().getTime());
        if (claimed) await workOn(deps, claimed.value, owner, stopping.signal, checks);
        else if (!restless) await idle();
      } catch (error) {
        deps.logger.error('a worker could not go on; it will look again', { err: error });
        await idle();
      }
    }
  }

  const loops = withoutTrace(() => Array.from({ length: workerCount }, loop));
  return {
    wake() {
      restless = true;
      for (const alarm of sleepers) alarm.abort();
      for (const check of checks) check();
    },
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** Why work on a run stopped before its end. */
type Stop = 'shutdown' | 'unwanted';

async function workOn(
  deps: WorkDeps,
  free: Run,
  owner: string,
  shutdown: AbortSignal,
  checks: Set<() => void>,
): Promise<void> {
  const { store, times, now, logger } = deps;
  const { run_id: id } = free;
  const open = await store.openOfPatient(free.patient_key);
  if (open.some((other) => isEarlier(other, free))) {
    await store.change(id, (run) => run && decideInTurn(run, now()));
    return store.release(id, owner);
  }
  const claimed = await store.change(id, (run) => run && decideClaimed(run, now()));
  if (!claimed?.value.open) return store.release(id, owner);
  const run = claimed.value;
  const attempt = run.attempts;
  const stop = new AbortController();
  const give = (why: Stop) => stop.abort(why);
  const onShutdown = () => give('shutdown');
  shutdown.addEventListener('abort', onShutdown, { once: true });
  // A signal that has been given already calls nobody.
  if (shutdown.aborted) onShutdown();

  /** Commands and other workers speak through the record. */
  const check = async () => {
    const current = await store.read(id);
    if (!current || !isCurrent(current, attempt)) give('unwanted');
  };
  const soon = () => void check().catch(() => undefined);
  checks.add(soon);
  const endHeartbeat = deps.surroundings.every(times.heartbeatMs, () => {
    store
      .renew(id, owner, times.leaseMs, now().getTime())
      .then(check)
      .catch((error: unknown) => {
        if (isEngramError(error, 'LEASE_LOST')) give('unwanted');
        else logger.warn('a lease could not be renewed; it will be tried again', { err: error, run_id: id });
      });
  });

  try {
    const attributes = { 'engram.run.id': id, 'engram.pipeline': run.pipeline, 'engram.attempt': attempt };
    await withTraceparent(run.traceparent, () =>
      withSpan(`run ${run.pipeline}`, attributes, () => attemptRun(deps, run, stop.signal)),
    );
  } finally {
    endHeartbeat();
    checks.delete(soon);
    shutdown.removeEventListener('abort', onShutdown);
    await store.release(id, owner);
  }
}

async function attemptRun(deps: WorkDeps, run: Run, signal: AbortSignal): Promise<void> {
  const { store, logger, now } = deps;
  const { run_id: id, attempts: attempt } = run;
  const folder = await deps.surroundings.openFolder();
  const report = progressReporter(deps, run, signal);
  let ended: Change | undefined;
  try {
    const result = await execute(deps, run, folder, report.onProgress, signal);
    await report.settle();
    ended = await store.change(id, (current) => current && decideCompleted(stamped(current), attempt, result, now()));
  } catch (error) {
    await report.settle();
    if (signal.aborted) {
      if (signal.reason === 'shutdown') {
        await store.change(id, (current) => current && decideHandedBack(stamped(current), attempt, now()));
      }
      logger.info('work on a run stopped', { run_id: id, outcome: String(signal.reason) });
      return;
    }
    const cause = asEngramError(error);
    const task = error instanceof Error ? (failedTask.get(error) ?? null) : null;
    logger.warn('a run failed', {
      run_id: id,
      err: cause,
      attempt,
      retryable: cause.retryable,
      task: task ?? undefined,
    });
    ended = await store.change(id, (current) => current && decideFailed(stamped(current), attempt, cause, task, now()));
  } finally {
    await folder.remove();
  }
  if (ended && !ended.value.open) measureEnd(ended.value, now());
}

/** What a worker says belongs to its own span of the trace. */
const stamped = (run: Run): Run => ({ ...run, traceparent: traceparent() ?? run.traceparent });

async function execute(
  deps: WorkDeps,
  run: Run,
  folder: WorkFolder,
  onProgress: Parameters<PipelineRunner>[0]['onProgress'],
  signal: AbortSignal,
): Promise<RunResult> {
  const { store, objects, tasks, runner, now } = deps;
  const inputs = await deps.fetchInputs(run, folder.inputs, signal);
  signal.throwIfAborted();
  const executing = await store.change(
    run.run_id,
    (current) => current && decideExecuting(stamped(current), run.attempts, now()),
  );
  if (!executing) throw new EngramError('LEASE_LOST', 'the run is no longer this worker’s', { field: 'run_id' });
  const outcome = await runner({ run, inputs, workDir: folder.work, tasks, signal, onProgress });
  signal.throwIfAborted();
  measureQuality(run, outcome);
  const artifacts: ArtifactReference[] = [];
  for (const { name, path, sha256 } of outcome.artifacts) {
    const key = artifactKey(run.run_id, sha256, name);
    const info = await objects.put(key, { file: path }, { sha256, contentType: typeOf(name) });
    artifacts.push({ name, key: info.key, sha256: info.sha256, bytes: info.bytes });
  }
  return {
    artifacts,
    qc_verdict: outcome.verdict,
    qc_reasons: outcome.reasons,
    durations: outcome.durations,
  };
}

const typeOf = (name: string): string => (name.endsWith('.json') ? 'application/json' : 'application/octet-stream');

/** Writes progress in order, one write at a time, and no more often than `progressMs` while a task only moves on. */
function progressReporter({ store, times, now, logger }: WorkDeps, run: Run, signal: AbortSignal) {
  const { onProgress, settle } = throttle<Parameters<Parameters<PipelineRunner>[0]['onProgress']>[0]>(
    times.progressMs,
    ({ task }) => `${task.name}:${task.status}`,
    async (progress) => {
      if (signal.aborted) return;
      const { task, fraction, secondsLeft } = progress;
      if (task.status !== 'running') {
        observe('engram.task.duration', task.seconds, { 'engram.task': task.name, 'engram.outcome': task.status });
      }
      await store
        .change(
          run.run_id,
          (current) =>
            current && decideProgress(stamped(current), run.attempts, { task, fraction, secondsLeft }, now()),
        )
        .catch((error: unknown) => logger.warn('progress could not be written', { err: error, run_id: run.run_id }));
    },
    now,
  );
  return { onProgress, settle };
}

function measureEnd(run: Run, now: Date): void {
  const outcome = { 'engram.outcome': run.status, 'engram.pipeline': run.pipeline };
  count('engram.runs.ended', outcome);
  if (run.started_at) observe('engram.run.duration', (now.getTime() - Date.parse(run.started_at)) / 1000, outcome);
}

function measureQuality(run: Run, { snr, registration, verdict }: PipelineOutcome): void {
  const pipeline = { 'engram.pipeline': run.pipeline };
  count('engram.qc.verdict', { ...pipeline, 'engram.verdict': verdict });
  if (snr !== null) observe('engram.qc.snr', snr, pipeline);
  if (registration !== null) count('engram.qc.registration', { ...pipeline, 'engram.quality': registration });
}
