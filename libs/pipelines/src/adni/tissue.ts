import { type BrainTemplate, findVentricles, resampleMask, segmentTissue } from '@engram/imaging';
import { type MaskVolume, maskWhere, type Volume, voxelVolume } from '@engram/volume';
import { z } from 'zod';
import { defineTask, type TaskContext } from '../task.ts';
import { readBrainSummary } from './brain.ts';
import { FLOATS, readImageAndHeader, readJson, readMaskOf, writeImage, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';
import { brainTemplateOf } from './template.ts';

export const tissueSummary = z.object({
  tissue_ml: z.object({ gm: z.number(), wm: z.number(), csf: z.number(), ventricles: z.number() }),
  means: z.array(z.number()).length(3),
});

export const readTissueSummary = async (context: TaskContext): Promise<z.infer<typeof tissueSummary>> =>
  tissueSummary.parse(await readJson(context, 'tissue/tissue.json'));

/** Splits the brain into grey matter, white matter and fluid, and finds the ventricles. */
export const tissue = defineTask<AdniParameters>({
  name: 'tissue',
  version: 3,
  needs: ['n4', 'brain'],
  reads: ['atlas'],
  weight: 10,
  outputs: ['gm.nii.gz', 'wm.nii.gz', 'csf.nii.gz', 'tissue.json'],
  parameterKeys: [],
  run: async (context) => {
    const { volume: t1, header } = await readImageAndHeader(context, 'n4/n4.nii.gz');
    const mask = await readMaskOf(context, 'brain/brain_mask.nii.gz');
    const { to_template: matrix } = await readBrainSummary(context);
    const { gm, wm, csf, means } = await segmentTissue(t1, mask, { onProgress: (f) => context.progress(0.7 * f) });
    const template = await brainTemplateOf(context);
    const onto = (part: MaskVolume) => resampleMask(part, t1, { matrix }, context.device);
    const [region, elsewhere] = [await onto(template.ventricles), await onto(fluidAround(template))];
    const ventricles = findVentricles(csf, mask, { region, elsewhere });
    context.progress(0.9);
    const ml = ({ data, affine }: Volume): number => (sumOf(data) * voxelVolume(affine)) / 1000;
    const volumes = { gm: ml(gm), wm: ml(wm), csf: ml(csf), ventricles: ventricles.volume / 1000 };
    for (const [name, image] of [
      ['gm', gm],
      ['wm', wm],
      ['csf', csf],
    ] as const)
      await writeImage(context, `${name}.nii.gz`, image, { like: header, ...FLOATS });
    await writeJson(context, 'tissue.json', { tissue_ml: volumes, means });
    context.note(
      `grey ${volumes.gm.toFixed(0)}, white ${volumes.wm.toFixed(0)}, fluid ${volumes.csf.toFixed(0)}, ventricles ${volumes.ventricles.toFixed(1)} mL`,
    );
  },
});

/** Cisterns and fissures of the template. */
const fluidAround = ({ surroundings, brain }: BrainTemplate): MaskVolume => ({
  ...surroundings,
  data: maskWhere(surroundings.data, (inside, at) => inside > 0 && brain.data[at] === 0),
});

function sumOf(data: Float32Array): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum;
}
