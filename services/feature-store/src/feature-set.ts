/** What the feature store keeps: one feature set a session, its versions in order, and which studies were retracted. */
import type { EngramEvent, PatientKey, QcVerdict, RoiFeatures } from '@engram/contracts';

export interface StudyReference {
  readonly role: 't1' | 'pet';
  readonly study_id: string;
  readonly study_uid: string;
  readonly study_version: string;
}

export interface StoredArtifact {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Figures of one version that the quality distribution is drawn from. */
export interface QualityFigures {
  readonly mri_snr: number;
  readonly pet_mean_suvr: number | null;
  readonly registration_quality: RoiFeatures['quality_metrics']['registration_quality'];
  readonly motion_artifacts: RoiFeatures['quality_metrics']['motion_artifacts'];
}

export interface FeatureSetVersion {
  readonly version: number;
  /** Of the feature document without timestamps: an equal digest never makes a new version. */
  readonly digest: string;
  readonly run_id: string;
  /** When the run ended; an event that ended earlier than the current version's is an older fact. */
  readonly completed_at: string;
  readonly stored_at: string;
  readonly qc_verdict: QcVerdict;
  readonly qc_reasons: readonly string[];
  readonly mri: boolean;
  readonly pet: boolean;
  readonly tracer: string | null;
  readonly awaiting_pet: boolean;
  readonly quality: QualityFigures;
  readonly studies: readonly StudyReference[];
  readonly artifacts: readonly StoredArtifact[];
  /** Immutable object key of this version's roi_features.json. */
  readonly features_key: string;
}

export interface FeatureSet {
  readonly feature_set_id: string;
  readonly patient_key: PatientKey;
  readonly patient_id: string;
  readonly patient_reference: string;
  readonly session_id: string;
  readonly session_date: string;
  /** Oldest first; superseded ones stay. */
  readonly versions: readonly FeatureSetVersion[];
  /** The version in use; null when everything was withdrawn. */
  readonly current: number | null;
  /** Studies retracted so far: versions that rest on one are never current. */
  readonly retracted_study_ids: readonly string[];
  /** Number of events said about this feature set: the subject version of the last one. */
  readonly sequence: number;
}

/** Kept for each retracted study, so that a run that ends after the retraction is not stored. */
export interface Retraction {
  readonly patient_key: PatientKey;
  readonly study_id: string;
  readonly why: string;
  readonly at: string;
}

export interface Change {
  readonly value: FeatureSet;
  readonly events: readonly EngramEvent[];
}

/** The version in use, or undefined when everything was withdrawn. */
export const currentVersion = (set: FeatureSet): FeatureSetVersion | undefined =>
  set.versions.find((version) => version.version === set.current);
