/** Names of the objects of one session, in the seed's layout. `roi_features.json` is written last and switches the view. */
import type { PatientKey } from '../vocabulary.ts';

export const ARTIFACTS = {
  mriBrain: 'mri_brain.nii.gz',
  petSuvr: 'pet_suvr.nii.gz',
  brainMask: 'brain_mask.nii.gz',
  atlasInT1: 'atlas_in_t1.nii.gz',
  qualityMetrics: 'quality_metrics.json',
  preprocessingLog: 'preprocessing_log.json',
  roiFeatures: 'roi_features.json',
} as const;
export type ArtifactName = (typeof ARTIFACTS)[keyof typeof ARTIFACTS];

/** `preprocessed/{patient_key}/{session_date}/`: the current view; earlier versions stay under `versions/N/`. */
export const sessionPrefix = (patientKey: PatientKey, sessionDate: string): string =>
  `preprocessed/${patientKey}/${sessionDate}/`;
export const versionPrefix = (patientKey: PatientKey, sessionDate: string, version: number): string =>
  `${sessionPrefix(patientKey, sessionDate)}versions/${version}/`;
/**
 * Where a run keeps an artifact. The bytes are part of the key: a worker that was thought dead and comes back can change
 * nothing that the run has named since.
 */
export const artifactKey = (runId: string, sha256: string, name: string): string => `runs/${runId}/${sha256}/${name}`;
/** Below: what came from a PACS, as it came. */
export const RAW_PREFIX = 'raw/';
export const rawPrefix = (patientKey: PatientKey, studyUid: string): string =>
  `${RAW_PREFIX}${patientKey}/${studyUid}/`;

/** Below: intermediate results by task key. They cost time when they are missed, never correctness. */
export const TASKS_PREFIX = 'tasks/';
