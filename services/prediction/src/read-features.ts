/** A stored feature document as the model's region groups. */
import { type PatientKey, type QcVerdict, roiFeatures } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { amyloidMean, fdgGroupMeans, mriGroupRatios, tracerKind } from '@engram/models';
import type { Objects } from '@engram/objects';
import type { SessionFeatures } from './projection.ts';

/** What is said about a version wherever it is said: in the event and by contract HTTP. */
export interface StoredVersion {
  readonly feature_set_id: string;
  readonly patient_key: PatientKey;
  readonly sequence: number;
  readonly version: number;
  readonly digest: string;
  readonly session_id: string;
  readonly session_date: string;
  readonly qc_verdict: QcVerdict;
  readonly withdrawn: boolean;
  readonly awaiting_pet: boolean;
  readonly features_key: string;
  readonly studies: readonly { readonly study_id: string }[];
}

/** @throws OBJECT_NOT_FOUND; OBJECT_CORRUPT when the document is not the one that was said */
export async function readFeatures(objects: Objects, stored: StoredVersion): Promise<SessionFeatures> {
  const { features_key, studies, ...said } = stored;
  const study_ids = studies.map((study) => study.study_id);
  // A withdrawn or failed set is kept as a mask; its numbers are not even read.
  if (stored.withdrawn || stored.qc_verdict === 'fail') return { ...said, study_ids, mri: null, pet: null };
  const parsed = roiFeatures.safeParse(JSON.parse(new TextDecoder().decode(await objects.get(features_key))));
  if (!parsed.success || parsed.data.digest !== stored.digest) {
    throw new EngramError('OBJECT_CORRUPT', 'roi_features.json is not the document that was stored', {
      file: 'roi_features.json',
    });
  }
  const document = parsed.data;
  const kind = tracerKind(document.pet?.tracer ?? null);
  const suvr = document.pet_roi_features;
  return {
    ...said,
    study_ids,
    mri: mriGroupRatios(document.mri_roi_features, document.head_size_ml, document.tissue_ml.ventricles),
    pet: suvr && {
      kind,
      groups: kind === 'fdg' ? fdgGroupMeans(suvr) : kind === 'amyloid' ? [amyloidMean(suvr)] : [],
    },
  };
}
