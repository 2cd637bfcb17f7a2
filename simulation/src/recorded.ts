/** What heavy work gave once, kept small: the feature document of a run, and the forecast model's answer. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AAL_93, CONSTANT_PET_REGIONS, type RoiFeatures, type RunInput } from '@engram/contracts';
import { DEFAULT_MODEL, loadModel, type ProgressionModel } from '@engram/models';
import { sha256Of } from './ports/objects.ts';

/** Where the images of a run's inputs lie: what its numbers depend on. */
export const contentOf = (inputs: readonly RunInput[]): string =>
  inputs
    .map(({ role, source }) => `${role} ${source.kind === 'url' ? source.url : ''}`)
    .sort()
    .join('\n');

interface DocumentFacts {
  readonly patientId: string;
  readonly sessionDate: string;
  readonly inputs: readonly RunInput[];
  readonly madeAt: string;
}

/** Equal inputs have equal digests, whenever the document was made. */
export function featureDocument({ patientId, sessionDate, inputs, madeAt }: DocumentFacts): RoiFeatures {
  const pet = inputs.some(({ role }) => role === 'pet');
  return {
    schema: 'engram/roi-features/1',
    patient_id: patientId,
    session_date: sessionDate,
    preprocessing_version: '1.0',
    preprocessing_timestamp: madeAt,
    mri_roi_features: AAL_93.regions.map((_, k) => 3000 + k),
    pet_roi_features: pet ? AAL_93.regions.map(() => 1.2) : null,
    quality_metrics: {
      verdict: 'pass',
      mri_snr: 21.5,
      pet_mean_suvr: pet ? 1.2 : null,
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
    pet: pet
      ? {
          tracer: 'florbetapir',
          reference_region: 'whole cerebellum',
          constant_regions: [...CONSTANT_PET_REGIONS],
          frames: 1,
          window_s: null,
        }
      : null,
    waiting: pet ? [] : ['pet'],
    artifacts: [],
    lineage: {
      pipeline: 'adni',
      pipeline_version: '1.0',
      engine_version: '0.1.0',
      device: 'wasm',
      atlas: { name: 'aal', version: '1', sha256: '0'.repeat(64) },
      inputs: [],
      tasks: [],
    },
    digest: sha256Of(contentOf(inputs)),
  };
}

export interface Recorded {
  readonly model: ProgressionModel;
  readonly modelCardText: string;
}

/** Asks the real model once; a schedule must not wait for a native thread, which keeps no virtual time. */
export async function record(): Promise<Recorded> {
  const model = await loadModel(fileURLToPath(DEFAULT_MODEL));
  const answer = await model.predict(new Float32Array(model.manifest.input.names.length));
  await model.close();
  return {
    model: { manifest: model.manifest, card: model.card, predict: async () => answer, close: async () => {} },
    modelCardText: (await readFile(new URL('MODEL_CARD.md', DEFAULT_MODEL), 'utf8')).slice(0, 200),
  };
}
