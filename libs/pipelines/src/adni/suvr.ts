import { CEREBELLUM_LABELS } from '@engram/contracts';
import { computeSuvr } from '@engram/imaging';
import { maskWhere, type Volume } from '@engram/volume';
import { defineTask } from '../task.ts';
import { FLOATS, readImageAndHeader, readLabelsOf, readMaskOf, writeImage, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';

/** Divides the PET by its mean in the whole cerebellum. */
export const suvr = defineTask<AdniParameters>({
  name: 'suvr',
  version: 2,
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
    const seen: Volume = { ...pet, data: whereSeen(pet.data, fov.data) };
    const found = computeSuvr(seen, reference, { erodeVoxels: context.parameters.suvr.erode_voxels });
    const data = zeroBeyondView(found.suvr.data);
    await writeImage(context, 'pet_suvr.nii.gz', { ...found.suvr, data }, { like: header, ...FLOATS });
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

function whereSeen(values: Float32Array, fov: Uint8Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let at = 0; at < out.length; at++) out[at] = fov[at] ? values[at] : Number.NaN;
  return out;
}

function zeroBeyondView(values: Float32Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let at = 0; at < out.length; at++) if (Number.isFinite(values[at])) out[at] = values[at];
  return out;
}
