/** The atlas as a task sees it: read once per process, what follows from it kept beside it. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMask, readNifti, writeNifti } from '@engram/formats';
import { type BrainTemplate, prepareTemplate, signedDistance } from '@engram/imaging';
import { sameGrid, type Volume } from '@engram/volume';
import { z } from 'zod';
import { type AtlasImages, loadAtlas, readAtlasImages } from '../atlas/load-atlas.ts';
import { type AtlasManifest, readManifest } from '../atlas/manifest.ts';
import type { TaskContext } from '../task.ts';

/** What follows from the atlas's images; to derive it costs as much as a quarter of a brain's extraction. */
interface Derived {
  /** Share of grey matter. */
  readonly gm: Volume;
  readonly intracranialMl: number;
  readonly template: Omit<BrainTemplate, 't1'>;
}

export interface PreparedAtlas extends AtlasImages, Omit<Derived, 'template'> {
  readonly template: BrainTemplate;
}

const atlases = new Map<string, Promise<PreparedAtlas>>();

export const atlasOf = async (context: TaskContext): Promise<PreparedAtlas> => {
  const { path: dir, sha256 } = context.input('atlas');
  const known = atlases.get(sha256) ?? prepare(context, dir, sha256);
  atlases.set(sha256, known);
  try {
    return await known;
  } catch (error) {
    atlases.delete(sha256);
    throw error;
  }
};

/** What brain extraction knows of the template. */
export const brainTemplateOf = async (context: TaskContext): Promise<BrainTemplate> =>
  (await atlasOf(context)).template;

/** Raised whenever another version of the code would derive something else from the same atlas. */
const PREPARED = 'prepared-2';

async function prepare(context: TaskContext, dir: string, sha256: string): Promise<PreparedAtlas> {
  const manifest = await readManifest(dir);
  const images = await readAtlasImages({ dir, manifest });
  const folder = join(dir, `${PREPARED}-${sha256.slice(0, 16)}`);
  let derived = await readKept(folder, images.t1);
  if (!derived) {
    derived = await derive(dir, sha256, manifest);
    await keep(folder, derived).catch(() => context.note('what follows from the atlas could not be kept'));
  }
  return { ...images, ...derived, template: { ...derived.template, t1: images.t1 } };
}

async function derive(dir: string, sha256: string, manifest: AtlasManifest): Promise<Derived> {
  const { t1, brain: surroundings, gm, intracranialMl } = await loadAtlas({ dir, sha256, manifest });
  const { brain, ventricles } = await prepareTemplate(t1, surroundings);
  return { gm, intracranialMl, template: { brain, ventricles, surroundings, distance: signedDistance(brain) } };
}

const numbers = z.object({ intracranial_ml: z.number() });

/** Kept in single precision, which is what it was derived in: both ways give the same bits. */
async function readKept(folder: string, t1: Volume): Promise<Derived | undefined> {
  const mask = async (name: string) => (await readMask(join(folder, `${name}.nii.gz`))).mask;
  const image = async (name: string) => (await readNifti(join(folder, `${name}.nii.gz`))).volume;
  try {
    const { intracranial_ml: intracranialMl } = numbers.parse(
      JSON.parse(await readFile(join(folder, 'numbers.json'), 'utf8')),
    );
    const gm = await image('gm');
    const template = {
      brain: await mask('brain'),
      ventricles: await mask('ventricles'),
      surroundings: await mask('surroundings'),
      distance: await image('distance'),
    };
    const whole = [gm, ...Object.values(template)].every((part) => sameGrid(part, t1));
    return whole ? { gm, intracranialMl, template } : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all: another process may look for it meanwhile. */
async function keep(folder: string, { gm, intracranialMl, template }: Derived): Promise<void> {
  const part = `${folder}.${process.pid}.part`;
  await mkdir(part, { recursive: true });
  for (const [name, image] of Object.entries({ gm, ...template }))
    await writeFile(join(part, `${name}.nii.gz`), writeNifti(image));
  await writeFile(join(part, 'numbers.json'), JSON.stringify({ intracranial_ml: intracranialMl }));
  await rename(part, folder).catch(() => rm(part, { recursive: true, force: true }));
}
