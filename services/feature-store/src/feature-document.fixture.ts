/** A complete feature document and its run, for tests of this service. */
import { AAL_93, CONSTANT_PET_REGIONS, events, type RoiFeatures } from '@engram/contracts';
import type { RunCompleted } from './decide.ts';

export const PATIENT_KEY = 'abcdefghijklmnopqrstuvwxyz';

export function featureDocument(over: Partial<RoiFeatures> = {}): RoiFeatures {
  return {
    schema: 'engram/roi-features/1',
    patient_id: '1',
    session_date: '2024-01-15',
    preprocessing_version: '1.0',
    preprocessing_timestamp: '2024-01-16T08:00:00.000Z',
    mri_roi_features: AAL_93.regions.map((_, k) => 3000 + k),
    pet_roi_features: null,
    quality_metrics: {
      verdict: 'pass',
      mri_snr: 21.5,
      pet_mean_suvr: null,
      registration_quality: 'good',
      motion_artifacts: 'not_assessable',
    },
    atlas_registration: { method: 'deformable', metric: 'LNCC', iterations: 100, convergence: 1e-4 },
    region_list: {
      id: AAL_93.id,
      sha256: AAL_93.sha256,
      regions: AAL_93.regions.map(({ index, name, labels }) => ({ index, name, labels: [...labels] })),
    },
    units: { mri: 'mm3', pet: 'SUVR' },
    head_size_ml: 1480,
    tissue_ml: { gm: 620, wm: 510, csf: 300, ventricles: 35 },
    pet: null,
    waiting: ['pet'],
    artifacts: [],
    lineage: {
      pipeline: 'adni',
      pipeline_version: '1.0',
      engine_version: '0.1.0',
      device: 'wasm',
      atlas: { name: 'aal', version: '1', sha256: '0'.repeat(64) },
      inputs: [{ role: 't1', sha256: '1'.repeat(64), study_uid: '1.2.840.1' }],
      tasks: [],
    },
    digest: 'a'.repeat(64),
    ...over,
  };
}

/** The same session with PET. */
export const withPet = (digest: string): RoiFeatures =>
  featureDocument({
    pet_roi_features: AAL_93.regions.map(() => 1.2),
    pet: {
      tracer: 'florbetapir',
      reference_region: 'whole cerebellum',
      constant_regions: [...CONSTANT_PET_REGIONS],
      frames: 1,
      window_s: null,
    },
    waiting: [],
    digest,
  });

export const completedRun = (over: Partial<RunCompleted> = {}): RunCompleted => ({
  ...events.runCompleted.example,
  ...over,
});
