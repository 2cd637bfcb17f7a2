/** What the accuracy tests of bias, brain and tissue share: the template where it lies on this machine, and heads with exact truth. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readLabels, readMask, readNifti } from '@engram/formats';
import { sharedData, type T1Options, type T1Phantom, t1FromLabels } from '@engram/testing';
import type { LabelVolume, MaskVolume } from '@engram/volume';
import { type BrainTemplate, prepareTemplate } from './prepare-template.ts';

/** The folder that the first pipeline run on this machine fetched Colin27 into; undefined before that. */
export function templateFolder(): string | undefined {
  const env = process.env;
  const cache = env['ENGRAM_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'engram');
  const atlases = join(cache, 'atlas');
  if (!existsSync(atlases)) return undefined;
  return readdirSync(atlases)
    .map((name) => join(atlases, name))
    .find((folder) => existsSync(join(folder, 'ch2bet.nii.gz')));
}

export async function loadTemplate(folder: string): Promise<BrainTemplate> {
  const { volume } = await readNifti(join(folder, 'ch2.nii.gz'));
  const { mask } = await readMask(join(folder, 'ch2bet.nii.gz'));
  return prepareTemplate(volume, mask);
}

export const readMap = async (map: string): Promise<LabelVolume> =>
  (await readLabels(sharedData('labels', `training_seg_${map}.nii.gz`))).labels;

export const phantomOf = async (map: string, options: T1Options): Promise<T1Phantom> =>
  t1FromLabels(await readMap(map), options);

export function diceOf(a: MaskVolume, b: MaskVolume): number {
  let both = 0;
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    both += a.data[i] & b.data[i];
    sum += a.data[i] + b.data[i];
  }
  return (2 * both) / sum;
}
