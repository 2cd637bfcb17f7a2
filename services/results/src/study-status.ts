/**
 * What an ImagingStudy says of its preprocessing, derived anew each time from all that is known of it: so it does not
 * matter in which order that became known. Pure.
 */
import type { PreprocessingStatus } from '@engram/contracts';
import { statusOfRun } from './decide.ts';
import type { FeatureSetRecord, RunRecord, StudyRecord } from './model.ts';

/** What is known of one patient. */
export interface Known {
  readonly studies: readonly StudyRecord[];
  readonly runs: readonly RunRecord[];
  readonly sets: readonly FeatureSetRecord[];
}

export interface StudyStatus {
  readonly status: PreprocessingStatus;
  /** What the study's features are read from. */
  readonly features: FeatureSetRecord | null;
}

const isLater = (a: RunRecord, b: RunRecord): boolean => {
  const [one, other] = [a.session_version ?? 0, b.session_version ?? 0];
  return one === other ? a.created_at > b.created_at : one > other;
};

/** @returns undefined while there is nothing to say. */
export function studyStatus(studyId: string, { studies, runs, sets }: Known): StudyStatus | undefined {
  const study = studies.find(({ study_id }) => study_id === studyId);
  if (study && study.retracted !== null) return { status: 'withdrawn', features: null };
  const features = sets.find(({ withdrawn, study_ids }) => !withdrawn && study_ids.includes(studyId)) ?? null;
  if (study?.state === 'waiting') return { status: 'waiting', features };

  const withdrawn = new Set(studies.filter(({ retracted }) => retracted !== null).map(({ study_id }) => study_id));
  const own = runs.filter(
    (run) =>
      run.studies.some(({ study_id }) => study_id === studyId) &&
      !run.studies.some(({ study_id }) => withdrawn.has(study_id)),
  );
  // What was called off leaves the study as the runs before it did.
  const [first, ...others] = own.filter(({ status }) => status !== 'cancelled');
  if (first === undefined) {
    if (features !== null) return { status: 'completed', features };
    return own.length > 0 ? { status: 'cancelled', features } : undefined;
  }
  const latest = others.reduce((best, run) => (isLater(run, best) ? run : best), first);
  const status = statusOfRun(latest.status);
  // A completed run is news to the study once its numbers are stored; equal numbers are stored already.
  return { status: status === 'completed' && features === null ? 'in-progress' : status, features };
}
