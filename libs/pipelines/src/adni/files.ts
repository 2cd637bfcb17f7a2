/** Reading and writing the files of tasks. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NiftiHeader, readLabels, readMask, readNifti, type WriteOptions, writeNifti } from '@engram/formats';
import type { LabelVolume, MaskVolume, Volume } from '@engram/volume';
import { canonicalJson } from '../canonical-json.ts';
import type { TaskContext } from '../task.ts';

export const readImage = async (context: TaskContext, name: string): Promise<Volume> =>
  (await readNifti(context.input(name).path)).volume;

export const readImageAndHeader = async (
  context: TaskContext,
  name: string,
): Promise<{ readonly volume: Volume; readonly header: NiftiHeader }> => readNifti(context.input(name).path);

export const readMaskOf = async (context: TaskContext, name: string): Promise<MaskVolume> =>
  (await readMask(context.input(name).path)).mask;

export const readLabelsOf = async (context: TaskContext, name: string): Promise<LabelVolume> =>
  (await readLabels(context.input(name).path)).labels;

export const readJson = async (context: TaskContext, name: string): Promise<unknown> =>
  JSON.parse(await readFile(context.input(name).path, 'utf8'));

/** Canonical, so that equal values give equal bytes. */
export const writeJson = (context: TaskContext, name: string, value: unknown): Promise<void> =>
  writeFile(join(context.workDir, name), `${canonicalJson(value)}\n`);

export const writeImage = (
  context: TaskContext,
  name: string,
  image: Volume | LabelVolume | MaskVolume,
  options: WriteOptions = {},
): Promise<void> => writeFile(join(context.workDir, name), writeNifti(image, options));

/** For files that only other tasks read: the quickest level costs a fifth of the time of the default one. */
export const INTERMEDIATE: WriteOptions = { gzip: 1 };
