/**
 * BIDS-Derivatives names of a session's files. SUVR has no BIDS suffix: it is `desc-suvr_pet` with a sidecar.
 * Entity order: sub, ses, trc, space, atlas, desc last.
 */
import { ARTIFACTS } from '@engram/contracts';
import type { FeatureSet, FeatureSetVersion } from './feature-set.ts';

/** BIDS labels are alphanumeric: `2024-01-15` is `20240115`, the second session of that day `20240115x2`. */
export const sessionLabel = (sessionDate: string): string => sessionDate.replaceAll('-', '').replace('_', 'x');

const alphanumeric = (text: string): string => text.replaceAll(/[^A-Za-z0-9]/g, '');

/** Path below the derivatives dataset, or undefined for a file that BIDS gives no place. */
export function bidsName(
  set: Pick<FeatureSet, 'patient_key' | 'session_date'>,
  version: Pick<FeatureSetVersion, 'tracer'>,
  artifact: string,
): string | undefined {
  const ses = sessionLabel(set.session_date);
  const stem = `sub-${set.patient_key}_ses-${ses}`;
  const anat = `sub-${set.patient_key}/ses-${ses}/anat/${stem}`;
  const trc = version.tracer ? `_trc-${alphanumeric(version.tracer)}` : '';
  const names: Readonly<Record<string, string>> = {
    [ARTIFACTS.mriBrain]: `${anat}_desc-preproc_T1w.nii.gz`,
    [ARTIFACTS.brainMask]: `${anat}_desc-brain_mask.nii.gz`,
    [ARTIFACTS.atlasInT1]: `${anat}_space-T1w_atlas-AAL_dseg.nii.gz`,
    [ARTIFACTS.petSuvr]: `sub-${set.patient_key}/ses-${ses}/pet/${stem}${trc}_space-T1w_desc-suvr_pet.nii.gz`,
    [ARTIFACTS.roiFeatures]: `${anat}_atlas-AAL_desc-roi_features.json`,
    [ARTIFACTS.qualityMetrics]: `${anat}_desc-qc_metrics.json`,
  };
  return names[artifact];
}

export const datasetDescription = (generatorVersion: string): Record<string, unknown> => ({
  Name: 'Engram preprocessed sessions',
  BIDSVersion: '1.10.0',
  DatasetType: 'derivative',
  GeneratedBy: [{ Name: 'Engram', Version: generatorVersion }],
});
