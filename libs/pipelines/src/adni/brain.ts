import { extractBrain } from '@engram/imaging';
import { type Volume, voxelVolume } from '@engram/volume';
import { z } from 'zod';
import { defineTask, type TaskContext } from '../task.ts';
import { FLOATS, readImageAndHeader, readJson, writeImage, writeJson } from './files.ts';
import type { AdniParameters } from './parameters.ts';
import { brainTemplateOf } from './template.ts';

export const brainSummary = z.object({
  /** 16 numbers, row-major: RAS mm of the T1 → RAS mm of the template. */
  to_template: z.array(z.number()).length(16),
  confidence: z.number(),
  warnings: z.array(z.string()),
});

export const readBrainSummary = async (context: TaskContext): Promise<z.infer<typeof brainSummary>> =>
  brainSummary.parse(await readJson(context, 'brain/brain.json'));

/** Parts the brain from the head. */
export const brain = defineTask<AdniParameters>({
  name: 'brain',
  version: 2,
  needs: ['n4'],
  reads: ['atlas'],
  weight: 14,
  outputs: ['brain_mask.nii.gz', 'mri_brain.nii.gz', 'brain.json'],
  parameterKeys: [],
  run: async (context) => {
    const { volume: t1, header } = await readImageAndHeader(context, 'n4/n4.nii.gz');
    const template = await brainTemplateOf(context);
    const { mask, toTemplate, confidence, warnings } = await extractBrain(t1, template, {
      onProgress: (fraction) => context.progress(0.9 * fraction),
    });
    for (const warning of warnings) context.warn(warning);
    const stripped: Volume = { ...t1, data: masked(t1.data, mask.data) };
    await writeImage(context, 'brain_mask.nii.gz', mask, { like: header });
    await writeImage(context, 'mri_brain.nii.gz', stripped, { like: header, ...FLOATS });
    await writeJson(context, 'brain.json', { to_template: toTemplate, confidence, warnings });
    const ml = (countOf(mask.data) * voxelVolume(mask.affine)) / 1000;
    context.note(`brain mask ${ml.toFixed(0)} mL, confidence ${confidence.toFixed(2)}`);
  },
});

function masked(values: Float32Array, mask: Uint8Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let at = 0; at < out.length; at++) if (mask[at]) out[at] = Math.max(0, values[at]);
  return out;
}

function countOf(mask: Uint8Array): number {
  let count = 0;
  for (const value of mask) count += value;
  return count;
}
