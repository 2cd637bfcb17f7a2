/** A feature set as the contract shows it. */
import type { FeatureSetView } from '@engram/contracts';
import { type FeatureSet, isStanding } from './feature-set.ts';

export function viewOf(set: FeatureSet): FeatureSetView {
  return {
    feature_set_id: set.feature_set_id,
    patient_key: set.patient_key,
    patient_id: set.patient_id,
    session_id: set.session_id,
    session_date: set.session_date,
    sequence: set.sequence,
    current: set.current,
    versions: set.versions.map((version) => ({
      version: version.version,
      digest: version.digest,
      run_id: version.run_id,
      stored_at: version.stored_at,
      qc_verdict: version.qc_verdict,
      qc_reasons: [...version.qc_reasons],
      usable: version.qc_verdict !== 'fail' && isStanding(set, version),
      mri: version.mri,
      pet: version.pet,
      tracer: version.tracer,
      awaiting_pet: version.awaiting_pet,
      studies: version.studies.map(({ withdrawals: _, ...study }) => study),
      artifacts: version.artifacts.map(({ name, sha256, bytes }) => ({ name, sha256, bytes })),
      features_key: version.features_key,
    })),
  };
}
