/** What the feature store keeps: one feature set a session, its versions in order, and which studies were retracted. */
import {
  type EngramEvent,
  isWithdrawnSince,
  type PatientKey,
  type QcVerdict,
  type RoiFeatures,
  type Withdrawal,
} from '@engram/contracts';

export interface StudyReference {
  readonly role: 't1' | 'pet';
  readonly study_id: string;
  readonly study_uid: string;
  readonly study_version: string;
  /** Withdrawals of the study when the run chose its images. */
  readonly withdrawals?: number | undefined;
}

export interface StoredArtifact {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Where its run keeps it, for ever. Absent in versions of before it was kept. */
  readonly key?: string;
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
  /** Version of the session that the run was asked for of: the largest is in use. Absent in versions of before it was said. */
  readonly session_version?: number | undefined;
  /** When the run ended. */
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
  /** The latest withdrawal of each study of it: versions that chose its images before are never in use. */
  readonly retractions?: readonly StudyWithdrawal[];
  /** What was kept before withdrawals were counted. */
  readonly retracted_study_ids?: readonly string[];
  /** Number of events said about this feature set: the subject version of the last one. */
  readonly sequence: number;
}

export interface StudyWithdrawal extends Withdrawal {
  readonly study_id: string;
}

/** Kept for each retracted study, so that a run that ends after the retraction is not stored. */
export interface Retraction extends StudyWithdrawal {
  readonly patient_key: PatientKey;
  readonly why: string;
}

export interface Change {
  readonly value: FeatureSet;
  readonly events: readonly EngramEvent[];
}

/** The version in use, or undefined when everything was withdrawn. */
export const currentVersion = (set: FeatureSet): FeatureSetVersion | undefined =>
  set.versions.find((version) => version.version === set.current);

export const withdrawalsIn = ({ retractions, retracted_study_ids = [] }: FeatureSet): readonly StudyWithdrawal[] =>
  retractions ?? retracted_study_ids.map((study_id) => ({ study_id, withdrawals: 1, at: '' }));

/** Whether something chose a study's images before a withdrawal of it. */
export const restsOnWithdrawn = (
  studies: readonly StudyReference[],
  at: string,
  withdrawals: readonly StudyWithdrawal[],
): boolean =>
  withdrawals.some((one) =>
    studies.some((study) => study.study_id === one.study_id && isWithdrawnSince(study, at, one)),
  );

/** Whether no study of the version was withdrawn since. */
export const isStanding = (set: FeatureSet, { studies, completed_at }: FeatureSetVersion): boolean =>
  !restsOnWithdrawn(studies, completed_at, withdrawalsIn(set));

/** The standing version of the latest session; of several, the last. */
export const latestStanding = (set: FeatureSet): FeatureSetVersion | undefined =>
  set.versions
    .filter((version) => isStanding(set, version))
    .reduce<FeatureSetVersion | undefined>(
      (best, one) => (best && (best.session_version ?? 0) > (one.session_version ?? 0) ? best : one),
      undefined,
    );
