/** Reading and writing the files of tasks. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type NiftiHeader,
  readLabels,
  readMask,
  readNifti,
  readNiftiHeader,
  type WriteOptions,
  writeNifti,
} from '@engram/formats';
import { type LabelVolume, type MaskVolume, orientationOf, type Volume } from '@engram/volume';
import { canonicalJson } from '../canonical-json.ts';
import type { TaskContext } from '../task.ts';
import { RECENT_BYTES, recentImages } from './recent-images.ts';

const recent = recentImages(RECENT_BYTES);

/** Read once a process where memory allows: its voxels are not to be written into. */
export const readImageAndHeader = (
  context: TaskContext,
  name: string,
): Promise<{ readonly volume: Volume; readonly header: NiftiHeader }> => {
  const { path, sha256 } = context.input(name);
  return recent.get(sha256, 'image', () => readNifti(path));
};

export const readImage = async (context: TaskContext, name: string): Promise<Volume> =>
  (await readImageAndHeader(context, name)).volume;

export const readMaskOf = (context: TaskContext, name: string): Promise<MaskVolume> => {
  const { path, sha256 } = context.input(name);
  return recent.get(sha256, 'mask', async () => (await readMask(path)).mask);
};

export const readLabelsOf = (context: TaskContext, name: string): Promise<LabelVolume> => {
  const { path, sha256 } = context.input(name);
  return recent.get(sha256, 'labels', async () => (await readLabels(path)).labels);
};

export const readJson = async (context: TaskContext, name: string): Promise<unknown> =>
  JSON.parse(await readFile(context.input(name).path, 'utf8'));

/** Canonical, so that equal values give equal bytes. */
export const writeJson = (context: TaskContext, name: string, value: unknown): Promise<void> =>
  writeFile(join(context.workDir, name), `${canonicalJson(value)}\n`);

/** Kept for the tasks that read it: `image` is not to be written into afterwards. */
export async function writeImage(
  context: TaskContext,
  name: string,
  image: Volume | LabelVolume | MaskVolume,
  options: WriteOptions = {},
): Promise<void> {
  const bytes = writeNifti(image, options);
  await writeFile(join(context.workDir, name), bytes);
  const reordered = options.like !== undefined && orientationOf(options.like.affine) !== orientationOf(image.affine);
  if (reordered || options.datatype !== undefined) return;
  // As a reader finds it: a file holds its affine in single precision.
  const header = await readNiftiHeader(bytes);
  const { shape, affine, frames } = header;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { data } = image;
  if (data instanceof Float32Array) recent.put(sha256, 'image', { volume: { shape, affine, frames, data }, header });
  else if (data instanceof Uint16Array) recent.put(sha256, 'labels', { shape, affine, data });
  else recent.put(sha256, 'mask', { shape, affine, data });
}

/** For float images, whose size is that of their noise. */
export const FLOATS: WriteOptions = { gzip: 'runs' };
