/** What a fact means for a feature set. Pure: no clock, no store. */
import { createHash } from 'node:crypto';
import {
  ARTIFACTS,
  type ArtifactReference,
  type EngramEvent,
  events,
  isLaterWithdrawal,
  makeEvent,
  type PatientKey,
  type RoiFeatures,
} from '@engram/contracts';
import type { z } from 'zod';
import {
  type Change,
  currentVersion,
  type FeatureSet,
  type FeatureSetVersion,
  latestStanding,
  type Retraction,
  restsOnWithdrawn,
  type StudyWithdrawal,
  withdrawalsIn,
} from './feature-set.ts';

export type RunCompleted = z.infer<typeof events.runCompleted.data>;
/** `all` keeps images beside the features; `features-only` keeps roi_features.json alone. */
export type StorageMode = 'all' | 'features-only';

export interface CompletedRun {
  readonly run: RunCompleted;
  /** When the run ended: the event's time. */
  readonly endedAt: string;
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

export type CompletedDecision =
  | { readonly kind: 'ignore'; readonly why: 'repeat' | 'unchanged' | 'retracted' }
  | { readonly kind: 'store'; readonly change: Change };

/**
 * A finished run becomes version 1 of its session's feature set, or the next version when its numbers differ from the
 * current ones: in use at once, unless that of a later session is. A repeat and equal numbers change nothing.
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
  if (restsOnWithdrawn(run.studies, completed.endedAt, retractions)) return { kind: 'ignore', why: 'retracted' };
  const inUse = current && currentVersion(current);
  if (inUse?.digest === features.digest && inUse.awaiting_pet === run.awaiting_pet) {
    return { kind: 'ignore', why: 'unchanged' };
  }
  const number = (current?.versions.length ?? 0) + 1;
  const version: FeatureSetVersion = {
    version: number,
    digest: features.digest,
    run_id: run.run_id,
    session_version: run.session_version,
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
    artifacts: artifactsToKeep(run.artifacts, mode),
    features_key: run.artifacts.find(({ name }) => name === ARTIFACTS.roiFeatures)?.key ?? '',
  };
  const next: FeatureSet = {
    feature_set_id: featureSetId(run.patient_key, run.session_id),
    patient_key: run.patient_key,
    patient_id: run.patient_id,
    patient_reference: run.patient_reference,
    session_id: run.session_id,
    session_date: run.session_date,
    versions: [...(current?.versions ?? []), version],
    current: current?.current ?? null,
    retractions: current ? withdrawalsIn(current) : [],
    sequence: current?.sequence ?? 0,
  };
  return { kind: 'store', change: putInUse(next, now, completed.traceparent) };
}

/** Chooses the version in use anew, and says so where it is another one than before. */
function putInUse(set: FeatureSet, now: Date, traceparent: string | undefined): Change {
  const before = currentVersion(set);
  const next = latestStanding(set);
  const value: FeatureSet = { ...set, current: next?.version ?? null };
  const told = next ?? before;
  if (!told || next?.version === before?.version) return { value, events: [] };
  const said: FeatureSet = { ...value, sequence: set.sequence + 1 };
  return { value: said, events: [stored(said, told, next === undefined, now, traceparent)] };
}

/**
 * A retraction takes every version that rests on the study out of use. An earlier version without it becomes current
 * again (T1 stays when only the PET was in error); without one the feature set is withdrawn.
 */
export function decideRetracted(
  current: FeatureSet,
  { study_id, withdrawals, at }: StudyWithdrawal,
  now: Date,
  traceparent?: string,
): Change | undefined {
  const withdrawal = { study_id, withdrawals, at };
  const known = withdrawalsIn(current);
  const earlier = known.find((one) => one.study_id === study_id);
  const isConcerned = current.versions.some(({ studies, completed_at }) =>
    restsOnWithdrawn(studies, completed_at, [withdrawal]),
  );
  if (!isConcerned || (earlier && !isLaterWithdrawal(withdrawal, earlier))) return undefined;
  const retractions = [...known.filter((one) => one !== earlier), withdrawal];
  return putInUse({ ...current, retractions }, now, traceparent);
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
