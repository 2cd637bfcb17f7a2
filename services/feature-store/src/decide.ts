/** What a fact means for a feature set. Pure: no clock, no store. */
import { createHash } from 'node:crypto';
import {
  type ArtifactReference,
  type EngramEvent,
  events,
  makeEvent,
  type PatientKey,
  type RoiFeatures,
  versionPrefix,
} from '@engram/contracts';
import type { z } from 'zod';
import {
  type Change,
  currentVersion,
  type FeatureSet,
  type FeatureSetVersion,
  type Retraction,
} from './feature-set.ts';

export type RunCompleted = z.infer<typeof events.runCompleted.data>;
/** `all` keeps images beside the features; `features-only` keeps roi_features.json alone. */
export type StorageMode = 'all' | 'features-only';

export interface CompletedRun {
  readonly run: RunCompleted;
  /** When the run ended: the event's time. */
  readonly endedAt: string;
  /** When the run started, where its log says so. */
  readonly startedAt: string | null;
  readonly features: RoiFeatures;
  readonly traceparent?: string | undefined;
}

/** One feature set a session: the same session always has the same id. */
export const featureSetId = (patientKey: PatientKey, sessionId: string): string =>
  `fs-${createHash('sha256').update(`${patientKey}\n${sessionId}`).digest('hex').slice(0, 24)}`;

/** The artifacts that a storage mode keeps; roi_features.json comes last because it switches the view. */
export function artifactsToKeep(
  artifacts: readonly ArtifactReference[],
  mode: StorageMode,
): readonly ArtifactReference[] {
  const features = artifacts.filter((artifact) => artifact.name === 'roi_features.json');
  const others = artifacts.filter((artifact) => artifact.name !== 'roi_features.json');
  return mode === 'all' ? [...others, ...features] : features;
}

/** A study counts as retracted for a run that did not start after its retraction. */
function restsOnRetracted(completed: CompletedRun, retractions: readonly Retraction[]): boolean {
  const studies = new Set(completed.run.studies.map((study) => study.study_id));
  return retractions.some(
    (retraction) =>
      studies.has(retraction.study_id) && (completed.startedAt === null || completed.startedAt <= retraction.at),
  );
}

export type CompletedDecision =
  | { readonly kind: 'ignore'; readonly why: 'repeat' | 'older' | 'unchanged' | 'retracted' }
  | { readonly kind: 'store'; readonly version: FeatureSetVersion; readonly change: Change };

/**
 * A finished run becomes version 1 of its session's feature set, or the next version when its numbers differ from the
 * current ones. A repeat, an older run and equal numbers change nothing.
 */
export function decideCompleted(
  current: FeatureSet | undefined,
  completed: CompletedRun,
  retractions: readonly Retraction[],
  mode: StorageMode,
  now: Date,
): CompletedDecision {
  const { run, features } = completed;
  if (current?.versions.some((version) => version.run_id === run.run_id)) return { kind: 'ignore', why: 'repeat' };
  if (restsOnRetracted(completed, retractions)) return { kind: 'ignore', why: 'retracted' };
  const inUse = current && currentVersion(current);
  if (inUse && completed.endedAt < inUse.completed_at) return { kind: 'ignore', why: 'older' };
  if (inUse?.digest === features.digest && inUse.awaiting_pet === run.awaiting_pet) {
    return { kind: 'ignore', why: 'unchanged' };
  }
  const number = (current?.versions.length ?? 0) + 1;
  const version: FeatureSetVersion = {
    version: number,
    digest: features.digest,
    run_id: run.run_id,
    completed_at: completed.endedAt,
    stored_at: now.toISOString(),
    qc_verdict: run.qc_verdict,
    qc_reasons: run.qc_reasons,
    mri: true,
    pet: features.pet_roi_features !== null,
    tracer: features.pet?.tracer ?? null,
    awaiting_pet: run.awaiting_pet,
    quality: {
      mri_snr: features.quality_metrics.mri_snr,
      pet_mean_suvr: features.quality_metrics.pet_mean_suvr,
      registration_quality: features.quality_metrics.registration_quality,
      motion_artifacts: features.quality_metrics.motion_artifacts,
    },
    studies: run.studies,
    artifacts: artifactsToKeep(run.artifacts, mode).map(({ name, sha256, bytes }) => ({ name, sha256, bytes })),
    features_key: `${versionPrefix(run.patient_key, run.session_date, number)}roi_features.json`,
  };
  const reinstated = new Set(run.studies.map((study) => study.study_id));
  const value: FeatureSet = {
    feature_set_id: featureSetId(run.patient_key, run.session_id),
    patient_key: run.patient_key,
    patient_id: run.patient_id,
    patient_reference: run.patient_reference,
    session_id: run.session_id,
    session_date: run.session_date,
    versions: [...(current?.versions ?? []), version],
    current: number,
    retracted_study_ids: (current?.retracted_study_ids ?? []).filter((id) => !reinstated.has(id)),
    sequence: (current?.sequence ?? 0) + 1,
  };
  return {
    kind: 'store',
    version,
    change: { value, events: [stored(value, version, false, now, completed.traceparent)] },
  };
}

/**
 * A retraction takes every version that rests on the study out of use. An earlier version without it becomes current
 * again (T1 stays when only the PET was in error); without one the feature set is withdrawn.
 */
export function decideRetracted(
  current: FeatureSet,
  studyId: string,
  now: Date,
  traceparent?: string,
): Change | undefined {
  const concerned = current.versions.some((version) => version.studies.some((study) => study.study_id === studyId));
  if (!concerned || current.retracted_study_ids.includes(studyId)) return undefined;
  const retracted = [...current.retracted_study_ids, studyId];
  const usable = current.versions.filter((version) => !version.studies.some((s) => retracted.includes(s.study_id)));
  const next = usable.at(-1);
  const inUse = currentVersion(current);
  const value: FeatureSet = { ...current, retracted_study_ids: retracted, current: next?.version ?? null };
  if (!inUse || next?.version === inUse.version) return { value, events: [] };
  const said: FeatureSet = { ...value, sequence: current.sequence + 1 };
  return { value: said, events: [stored(said, next ?? inUse, next === undefined, now, traceparent)] };
}

function stored(
  set: FeatureSet,
  version: FeatureSetVersion,
  withdrawn: boolean,
  now: Date,
  traceparent: string | undefined,
): EngramEvent {
  return makeEvent(events.featuresStored, {
    source: '/engram/feature-store',
    subject: set.feature_set_id,
    subjectVersion: set.sequence,
    patientKey: set.patient_key,
    time: now,
    traceparent,
    data: {
      feature_set_id: set.feature_set_id,
      version: version.version,
      digest: version.digest,
      run_id: version.run_id,
      patient_key: set.patient_key,
      patient_id: set.patient_id,
      patient_reference: set.patient_reference,
      session_id: set.session_id,
      session_date: set.session_date,
      qc_verdict: version.qc_verdict,
      mri: version.mri,
      pet: version.pet,
      awaiting_pet: version.awaiting_pet,
      withdrawn,
      features_key: version.features_key,
      studies: [...version.studies],
    },
  });
}
