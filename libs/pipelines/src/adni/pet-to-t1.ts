import { alignPetToT1, resample } from '@engram/imaging';
import { z } from 'zod';
import { defineTask, type TaskContext } from '../task.ts';
import { FLOATS, readImage, readImageAndHeader, readJson, readMaskOf, writeImage, writeJson } from './files.ts';
import { readPetSummary } from './import-pet.ts';
import type { AdniParameters } from './parameters.ts';
import { choosePose, spaceOf } from './pet-pose.ts';

export const alignmentSummary = z.object({
  /** RAS mm of the T1 → RAS mm of the PET. */
  t1_to_pet: z.array(z.number()).length(16),
  mutual_information: z.number(),
  normalised: z.number(),
  brain_coverage: z.number(),
  converged: z.boolean(),
  pose: z.enum(['search', 'header']),
});

export const readAlignment = async (context: TaskContext): Promise<z.infer<typeof alignmentSummary>> =>
  alignmentSummary.parse(await readJson(context, 'pet-to-t1/alignment.json'));

/** Lays the static PET over the T1 of the same head. */
export const petToT1 = defineTask<AdniParameters>({
  name: 'pet-to-t1',
  version: 3,
  needs: ['import-pet', 'pet-average', 'n4', 'brain'],
  weight: 8,
  outputs: ['pet_in_t1.nii.gz', 'pet_fov.nii.gz', 'alignment.json'],
  parameterKeys: ['pet'],
  run: async (context) => {
    const pet = await readImage(context, 'pet-average/pet_mean.nii.gz');
    const { volume: t1, header } = await readImageAndHeader(context, 'n4/n4.nii.gz');
    const brain = await readMaskOf(context, 'brain/brain_mask.nii.gz');
    const { space } = await readPetSummary(context);
    const pose = choosePose(context.parameters.pet.pose, spaceOf(header), space);
    if (pose === 'header')
      context.warn('The PET was left where its header places it on the T1: both are declared to be in one space');
    const { matrix, quality } = await alignPetToT1(pet, t1, brain, {
      pose,
      onProgress: (f) => context.progress(0.8 * f),
    });
    const moved = await resample(pet, t1, { matrix, outside: Number.NaN }, context.device);
    const seen = new Uint8Array(moved.data.length);
    const values = new Float32Array(moved.data.length);
    for (let at = 0; at < values.length; at++) {
      if (!Number.isFinite(moved.data[at])) continue;
      seen[at] = 1;
      values[at] = moved.data[at];
    }
    await writeImage(context, 'pet_in_t1.nii.gz', { ...moved, data: values }, { like: header, ...FLOATS });
    await writeImage(context, 'pet_fov.nii.gz', { shape: t1.shape, affine: t1.affine, data: seen }, { like: header });
    await writeJson(context, 'alignment.json', {
      t1_to_pet: matrix,
      mutual_information: quality.mutualInformation,
      normalised: quality.normalised,
      brain_coverage: quality.brainCoverage,
      converged: quality.converged,
      pose,
    });
    context.note(`normalised mutual information ${quality.normalised.toFixed(3)}`);
    if (quality.brainCoverage < 0.98)
      context.warn(`The PET shows only ${Math.round(100 * quality.brainCoverage)} % of the brain`);
  },
});
