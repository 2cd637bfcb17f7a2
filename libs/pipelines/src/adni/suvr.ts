import { CEREBELLUM_LABELS } from '@engram/contracts';
import { computeSuvr } from '@engram/imaging';
import { maskWhere, type Volume } from '@engram/volume';
import { defineTask } from '../task.ts';
import { readImageAndHeader, readLabelsOf, readMaskOf, writeImage, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';

/** Divides the PET by its mean in the whole cerebellum. */
export const suvr = defineTask<AdniParameters>({
  name: 'suvr',
  version: 1,
  needs: ['pet-to-t1', 'atlas'],
  weight: 2,
  outputs: ['pet_suvr.nii.gz', 'suvr.json'],
  parameterKeys: ['suvr'],
  run: async (context) => {
    const { volume: pet, header } = await readImageAndHeader(context, 'pet-to-t1/pet_in_t1.nii.gz');
    const fov = await readMaskOf(context, 'pet-to-t1/pet_fov.nii.gz');
    const atlas = await readLabelsOf(context, 'atlas/atlas_in_t1.nii.gz');
    const cerebellar = new Set(CEREBELLUM_LABELS);
    const reference = { ...fov, data: maskWhere(atlas.data, (label) => cerebellar.has(label)) };
    const seen: Volume = { ...pet, data: pet.data.map((value, at) => (fov.data[at] ? value : Number.NaN)) };
    const found = computeSuvr(seen, reference, { erodeVoxels: context.parameters.suvr.erode_voxels });
    const data = found.suvr.data.map((value) => (Number.isFinite(value) ? value : 0));
    await writeImage(context, 'pet_suvr.nii.gz', { ...found.suvr, data }, { like: header });
    await writeJson(context, 'suvr.json', {
      reference_region: context.parameters.suvr.reference_region,
      reference_mean: found.referenceMean,
      reference_voxels: found.voxels,
      reference_coverage: found.coverage,
    });
    if (found.coverage < 0.95)
      context.warn(`The PET shows only ${Math.round(100 * found.coverage)} % of the reference region`);
  },
});
