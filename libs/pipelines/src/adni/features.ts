import { AAL_93 } from '@engram/contracts';
import { headSizeMl, regionMeans, regionVolumes, rounded } from '@engram/imaging';
import { z } from 'zod';
import { defineTask } from '../task.ts';
import { readAtlasSummary } from './atlas-summary.ts';
import { readImage, readLabelsOf, readMaskOf, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';
import { atlasOf } from './template.ts';
import { readTissueSummary } from './tissue.ts';

export const featureSummary = z.object({
  /** mm³ of grey matter, in the order of the region list. */
  mri: z.array(z.number()).length(AAL_93.regions.length),
  /** Mean SUVR, same order; null without PET. */
  pet: z.array(z.number()).length(AAL_93.regions.length).nullable(),
  head_size_ml: z.number(),
  tissue_ml: z.object({ gm: z.number(), wm: z.number(), csf: z.number(), ventricles: z.number() }),
});

/** A region of which PET saw less is measured, with a warning. */
const LEAST_COVERAGE = 0.9;

/** The 93 numbers of the T1 and, with PET, the 93 of the uptake. */
export const features = defineTask<AdniParameters>({
  name: 'features',
  version: 1,
  needs: ['tissue', 'atlas'],
  uses: ['pet-to-t1', 'suvr'],
  reads: ['atlas'],
  weight: 3,
  outputs: ['features.json'],
  parameterKeys: [],
  run: async (context) => {
    const gm = await readImage(context, 'tissue/gm.nii.gz');
    const labels = await readLabelsOf(context, 'atlas/atlas_in_t1.nii.gz');
    const mri = regionVolumes(gm, labels, AAL_93.regions);
    let pet: readonly number[] | null = null;
    if (context.has('suvr/pet_suvr.nii.gz')) {
      const suvr = await readImage(context, 'suvr/pet_suvr.nii.gz');
      const fov = await readMaskOf(context, 'pet-to-t1/pet_fov.nii.gz');
      const found = regionMeans(suvr, labels, AAL_93.regions, fov);
      pet = found.means;
      const cut = AAL_93.regions.filter((_, index) => found.coverage[index] < LEAST_COVERAGE).map(({ name }) => name);
      if (cut.length > 0) context.warn(`The PET cuts off part of ${cut.length} regions, such as ${cut[0]}`);
    }
    const { affine } = await readAtlasSummary(context);
    const { intracranialMl } = await atlasOf(context);
    await writeJson(context, 'features.json', {
      mri: mri.map(rounded),
      pet: pet?.map(rounded) ?? null,
      head_size_ml: rounded(headSizeMl(intracranialMl, affine)),
      tissue_ml: (await readTissueSummary(context)).tissue_ml,
    });
  },
});
