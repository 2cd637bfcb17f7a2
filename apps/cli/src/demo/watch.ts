/** Follows sessions from the posted ImagingStudy to the ended run, over the results API as any user would. */
import type { Forecast, RunView } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import { askForecast } from '../commands/predict.ts';
import { forPeople, type Progress } from '../output.ts';

export interface Watched {
  readonly sessionDate: string;
  readonly studyId: string;
}

const POLL_MS = 200;
const ENDED: readonly string[] = ['completed', 'failed', 'cancelled'];

async function json<T>(url: string): Promise<T | undefined> {
  // A connection that broke is no end of the run: the next question finds another.
  const response = await fetch(url).catch(() => undefined);
  if (response === undefined || response.status === 404) return undefined;
  if (!response.ok) throw new EngramError('UPSTREAM_FAILED', `${new URL(url).pathname} answered ${response.status}`);
  return (await response.json()) as T;
}

/** The latest run of each study that has one. A session whose PET came later has more than one run. */
export async function runsOf(results: string, studies: readonly Watched[]): Promise<ReadonlyMap<string, RunView>> {
  const found = new Map<string, RunView>();
  const page = await json<{ runs: readonly RunView[] }>(`${results}/api/v1/runs?limit=200`);
  for (const run of [...(page?.runs ?? [])].reverse()) {
    const study = studies.find((entry) => entry.sessionDate === run.session_date || entry.studyId === run.study_id);
    if (study) found.set(study.studyId, run);
  }
  return found;
}

/** `2024-09-16 n4 34 %, 12 s left`, for each run under way. */
export function progressText(runs: Iterable<RunView>): string {
  return [...runs]
    .map((run) => {
      const task = run.tasks.find((entry) => entry.status === 'running')?.name;
      const left = run.seconds_left === null ? '' : `, ${forPeople(run.seconds_left)} left`;
      if (ENDED.includes(run.status)) return `${run.session_date} ${run.status}`;
      return `${run.session_date} ${task ?? run.status} ${(100 * run.fraction).toFixed(0)} %${left}`;
    })
    .join(' · ');
}

export interface WatchOptions {
  readonly results: string;
  readonly studies: () => readonly Watched[];
  /** True when every study has been posted. */
  readonly complete: () => boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Resolves when every posted study's run has ended. @throws the signal's reason when aborted. */
export async function untilEnded({
  results,
  studies,
  complete,
  progress,
  signal,
}: WatchOptions): Promise<ReadonlyMap<string, RunView>> {
  const told = new Map<string, string>();
  for (;;) {
    signal.throwIfAborted();
    const runs = await runsOf(results, studies());
    for (const run of runs.values()) {
      for (const task of run.tasks) {
        const key = `${run.id}/${task.name}`;
        if (task.status === 'running' || told.get(key) === task.status) continue;
        told.set(key, task.status);
        progress.say(`  ${run.session_date}  ${task.name.padEnd(14)} ${task.status}`);
      }
    }
    progress.update(progressText(runs.values()));
    if (complete() && studies().every((study) => ENDED.includes(runs.get(study.studyId)?.status ?? ''))) return runs;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The forecast once it takes in every session that passed; asks again while features are still on their way. */
export async function untilForecast(
  prediction: string,
  patient: string,
  sessions: number,
  signal: AbortSignal,
): Promise<Forecast> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await askForecast(prediction, patient);
      if (answer.inputs.feature_sets.length >= sessions) return answer;
    } catch (error) {
      // Until the last feature has arrived a refusal is what a clinician would see too early; a broken connection is asked again.
      const early =
        isEngramError(error) &&
        (error.code.startsWith('FORECAST_') || ['PATIENT_NOT_FOUND', 'UPSTREAM_FAILED'].includes(error.code));
      if (!early) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
