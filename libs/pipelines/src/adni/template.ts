/** The atlas as a task sees it: read once per process, its costly derivations kept beside it. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMask, writeNifti } from '@engram/formats';
import { type BrainTemplate, prepareTemplate, signedDistance } from '@engram/imaging';
import { type MaskVolume, sameGrid } from '@engram/volume';
import { type Atlas, loadAtlas } from '../atlas/load-atlas.ts';
import { readManifest } from '../atlas/manifest.ts';
import type { TaskContext } from '../task.ts';

const atlases = new Map<string, Promise<Atlas>>();
const templates = new Map<string, Promise<BrainTemplate>>();

const remembered = async <T>(memory: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
  const known = memory.get(key) ?? make();
  memory.set(key, known);
  try {
    return await known;
  } catch (error) {
    memory.delete(key);
    throw error;
  }
};

export const atlasOf = (context: TaskContext): Promise<Atlas> => {
  const { path: dir, sha256 } = context.input('atlas');
  return remembered(atlases, sha256, async () => loadAtlas({ dir, sha256, manifest: await readManifest(dir) }));
};

/** Raised whenever `prepareTemplate` would give another mask for the same atlas. */
const PREPARED = 'prepared-1';

/** What brain extraction knows of the template; the segmentation behind it is kept in the atlas folder where one may write. */
export async function brainTemplateOf(context: TaskContext): Promise<BrainTemplate> {
  const { path: dir, sha256 } = context.input('atlas');
  return remembered(templates, sha256, async () => {
    const atlas = await atlasOf(context);
    const folder = join(dir, `${PREPARED}-${sha256.slice(0, 16)}`);
    let masks = await readKept(folder, atlas.brain);
    if (!masks) {
      masks = await prepareTemplate(atlas.t1, atlas.brain);
      await keep(folder, masks).catch(() => context.note('the prepared template could not be kept'));
    }
    // From the masks alone, whether kept or just made: both ways must give the same bits.
    const { brain, ventricles } = masks;
    return { t1: atlas.t1, brain, ventricles, distance: signedDistance(brain), surroundings: atlas.brain };
  });
}

type Masks = Pick<BrainTemplate, 'brain' | 'ventricles'>;

async function readKept(folder: string, grid: MaskVolume): Promise<Masks | undefined> {
  try {
    const [{ mask: brain }, { mask: ventricles }] = await Promise.all([
      readMask(join(folder, 'brain.nii.gz')),
      readMask(join(folder, 'ventricles.nii.gz')),
    ]);
    return sameGrid(brain, grid) && sameGrid(ventricles, grid) ? { brain, ventricles } : undefined;
  } catch {
    return undefined;
  }
}

async function keep(folder: string, { brain, ventricles }: Masks): Promise<void> {
  const part = `${folder}.${process.pid}.part`;
  await mkdir(part, { recursive: true });
  await writeFile(join(part, 'brain.nii.gz'), writeNifti(brain));
  await writeFile(join(part, 'ventricles.nii.gz'), writeNifti(ventricles));
  await rename(part, folder).catch(() => rm(part, { recursive: true, force: true }));
}
