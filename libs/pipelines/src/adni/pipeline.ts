/**
 * The seed's preprocessing of one session: T1 to regional volumes, PET to regional SUVR. Without PET the T1's tasks run at
 * once; a PET that comes later finds their results.
 */
import { ARTIFACTS } from '@engram/contracts';
import type { PipelineDefinition } from '../task.ts';
import { atlas } from './atlas.ts';
import { brain } from './brain.ts';
import { features } from './features.ts';
import { importPet } from './import-pet.ts';
import { importT1 } from './import-t1.ts';
import { n4 } from './n4.ts';
import { type AdniParameters, adniParameters } from './parameters.ts';
import { petAverage } from './pet-average.ts';
import { petToT1 } from './pet-to-t1.ts';
import { quality } from './quality.ts';
import { suvr } from './suvr.ts';
import { tissue } from './tissue.ts';
import { PIPELINE_NAME, PIPELINE_VERSION } from './version.ts';

export const pipeline: PipelineDefinition<AdniParameters> = {
  name: PIPELINE_NAME,
  version: PIPELINE_VERSION,
  module: import.meta.url,
  inputs: [
    { role: 't1', required: true },
    { role: 'pet', required: false },
  ],
  parameters: adniParameters,
  tasks: [importT1, n4, brain, tissue, atlas, importPet, petAverage, petToT1, suvr, features, quality],
  artifacts: [
    { name: ARTIFACTS.mriBrain, task: 'brain', file: 'mri_brain.nii.gz' },
    { name: ARTIFACTS.petSuvr, task: 'suvr', file: 'pet_suvr.nii.gz' },
    { name: ARTIFACTS.brainMask, task: 'brain', file: 'brain_mask.nii.gz' },
    { name: ARTIFACTS.atlasInT1, task: 'atlas', file: 'atlas_in_t1.nii.gz' },
  ],
  reports: ['atlas', 'import-pet', 'pet-average', 'features', 'quality'],
};
