/**
 * What happens to a run: state, input and time in; next state and events out. Pure. `undefined` leaves it as it is, which
 * is what every repeat comes to.
 */
import { type EngramEvent, type events, isWithdrawnSince, PRIORITIES, type Priority } from '@engram/contracts';
import type { EngramError } from '@engram/errors';
import type { z } from 'zod';
import type { Requested, Retraction, Run, RunError, RunResult, RunTask } from './run.ts';
import { sayCancelled, sayCompleted, sayFailed, sayProgressed, sayReview } from './say.ts';

export interface Change {
  readonly value: Run;
  readonly events: readonly EngramEvent[];
}

type Command = z.infer<typeof events.runCommanded.data>;

/** Tries after the first one fails for a passing reason, and the wait before each. */
export const BACK_OFF_MS: readonly number[] = [5_000, 60_000, 300_000];

const rankOf = (priority: Priority): number => PRIORITIES.indexOf(priority);

/** The next version of a run, with what is said about it. */
function step(run: Run, change: Partial<Run>, say: readonly ((run: Run) => EngramEvent)[]): Change {
  let value: Run = { ...run, ...change };
  const said: EngramEvent[] = [];
  for (const tell of say) {
    value = { ...value, version: value.version + 1 };
    said.push(tell(value));
  }
  return { value, events: said };
}

const close = (now: Date): Partial<Run> => ({ open: false, ended_at: now.toISOString(), seconds_left: null });

export function decideRequested(
  current: Run | undefined,
  event: EngramEvent<Requested>,
  now: Date,
): Change | undefined {
  if (current) return undefined;
  const fresh: Run = {
    ...event.data,
    status: 'created',
    rank: rankOf(event.data.priority),
    requested_at: event.time,
    open: true,
    not_before: 0,
    attempts: 0,
    version: 0,
    tasks: [],
    fraction: 0,
    seconds_left: null,
    started_at: null,
    ended_at: null,
    error: null,
    result: null,
    commands: [],
    traceparent: event.traceparent,
  };
  return step(fresh, {}, [(run) => sayProgressed(run, null, now)]);
}

function cancel(run: Run, reason: string, now: Date): Change {
  return step(run, { ...close(now), status: 'cancelled' }, [(next) => sayCancelled(next, reason, now)]);
}

/** Cancel takes effect at once; the worker on the run sees it at its next write or heartbeat and stops. */
export function decideCommanded(run: Run, { command, command_id }: Command, now: Date): Change | undefined {
  if (run.commands.includes(command_id)) return undefined;
  const known = { ...run, commands: [...run.commands, command_id] };
  switch (command.name) {
    case 'cancel':
      return run.open ? cancel(known, command.reason, now) : undefined;
    case 'retry':
      if (run.status !== 'failed' && run.status !== 'cancelled') return undefined;
      return step(
        known,
        {
          status: 'created',
          open: true,
          attempts: 0,
          not_before: 0,
          error: null,
          started_at: null,
          ended_at: null,
          fraction: 0,
          tasks: [],
        },
        [(next) => sayProgressed(next, null, now)],
      );
    case 'prioritise':
      if (!run.open) return undefined;
      return step(known, { priority: command.priority, rank: rankOf(command.priority) }, [
        (next) => sayProgressed(next, null, now),
      ]);
  }
}

export function decideRetracted(run: Run, retraction: Retraction, now: Date): Change | undefined {
  const concerned = run.inputs.some(
    (input) => input.study_id === retraction.study_id && isWithdrawnSince(input, run.requested_at, retraction),
  );
  return run.open && concerned ? cancel(run, `study withdrawn: ${retraction.why}`, now) : undefined;
}

/** Between two looks at whether the session's earlier run has ended. */
const IN_TURN_MS = 5_000;

/** Of two runs of a session the one of its earlier version goes first; of one version, the one asked for first. */
export function isEarlier(a: Run, b: Run): boolean {
  if (a.session_id !== b.session_id || !a.open) return false;
  const [before, after] = [a.session_version ?? 0, b.session_version ?? 0];
  if (before !== after) return before < after;
  return a.requested_at === b.requested_at ? a.run_id < b.run_id : a.requested_at < b.requested_at;
}

/**
 * Waits for the session's earlier run: ended in the order they were asked for, the last to end is what the session has
 * become. Uncounted and unsaid: nothing was tried.
 */
export const decideInTurn = (run: Run, now: Date): Change | undefined =>
  run.open ? { value: { ...run, not_before: now.getTime() + IN_TURN_MS }, events: [] } : undefined;

/** A worker has claimed the run. One that found no worker's end before is one whose worker died. */
export function decideClaimed(run: Run, now: Date): Change | undefined {
  if (!run.open) return undefined;
  if (run.attempts > BACK_OFF_MS.length) {
    const error = {
      code: 'RUN_ABANDONED',
      message: `the worker process died ${run.attempts} times while it was on this run`,
      retryable: true,
      task: run.tasks.find((task) => task.status === 'running')?.name ?? null,
    };
    return fail(run, error, now);
  }
  return step(
    run,
    {
      status: 'validating',
      attempts: run.attempts + 1,
      started_at: run.started_at ?? now.toISOString(),
      tasks: run.tasks.map((task) => (task.status === 'running' ? { ...task, status: 'pending' } : task)),
    },
    [(next) => sayProgressed(next, null, now)],
  );
}

/** Whether the worker that made the `attempt`th claim still has the say. */
export const isCurrent = (run: Run, attempt: number): boolean => run.open && run.attempts === attempt;

export function decideExecuting(run: Run, attempt: number, now: Date): Change | undefined {
  if (!isCurrent(run, attempt)) return undefined;
  return step(run, { status: 'executing' }, [(next) => sayProgressed(next, null, now)]);
}

export interface TaskProgress {
  readonly task: RunTask;
  readonly fraction: number;
  readonly secondsLeft: number | null;
}

/** Fractions never fall: a second try runs faster over what is there already, not backwards. */
export function decideProgress(run: Run, attempt: number, progress: TaskProgress, now: Date): Change | undefined {
  if (!isCurrent(run, attempt)) return undefined;
  const { task, fraction, secondsLeft } = progress;
  const tasks = run.tasks.some((known) => known.name === task.name)
    ? run.tasks.map((known) => (known.name === task.name ? task : known))
    : [...run.tasks, task];
  return step(run, { tasks, fraction: Math.max(run.fraction, fraction), seconds_left: secondsLeft }, [
    (next) => sayProgressed(next, task, now),
  ]);
}

/** Completed; a verdict below pass also asks a person to look. */
export function decideCompleted(run: Run, attempt: number, result: RunResult, now: Date): Change | undefined {
  if (!isCurrent(run, attempt)) return undefined;
  const review =
    result.qc_verdict === 'pass'
      ? []
      : [
          (next: Run) =>
            sayReview(
              next,
              result.qc_verdict === 'fail' ? 'QC_FAIL' : 'QC_REVIEW',
              result.qc_reasons.join('; ') || `quality control says ${result.qc_verdict}`,
              now,
            ),
        ];
  return step(run, { ...close(now), status: 'completed', result, fraction: 1, error: null }, [
    (next) => sayCompleted(next, result, now),
    ...review,
  ]);
}

function fail(run: Run, error: RunError, now: Date): Change {
  return step(run, { ...close(now), status: 'failed', error }, [
    (next) => sayFailed(next, error, now),
    (next) => sayReview(next, error.code, error.message, now),
  ]);
}

/** What may pass is tried again at most 3 times with back-off; what is wrong with the input is not. */
export function decideFailed(
  run: Run,
  attempt: number,
  cause: EngramError,
  task: string | null,
  now: Date,
): Change | undefined {
  if (!isCurrent(run, attempt)) return undefined;
  const error = { code: cause.code, message: cause.message, retryable: cause.retryable, task };
  const wait = cause.retryable ? BACK_OFF_MS[run.attempts - 1] : undefined;
  if (wait === undefined) return fail(run, error, now);
  return step(run, { status: 'created', not_before: now.getTime() + wait, error, seconds_left: null }, [
    (next) => sayProgressed(next, null, now),
  ]);
}

/** The process is shutting down: the try does not count. */
export function decideHandedBack(run: Run, attempt: number, now: Date): Change | undefined {
  if (!isCurrent(run, attempt)) return undefined;
  return step(run, { status: 'created', attempts: run.attempts - 1, seconds_left: null }, [
    (next) => sayProgressed(next, null, now),
  ]);
}
