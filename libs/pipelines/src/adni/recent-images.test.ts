import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSha256 } from '@engram/cache';
import { readMask, readNifti } from '@engram/formats';
import type { LabelVolume, MaskVolume, Volume } from '@engram/volume';
import { afterAll, expect, test, vi } from 'vitest';
import type { TaskContext } from '../task.ts';
import { readImageAndHeader, readMaskOf, writeImage } from './files.ts';
import { recentImages } from './recent-images.ts';

const affine = [-1.1, 0, 0, 7.3, 0, 1.1, 0, -9.7, 0, 0, 1.1, -4.1, 0, 0, 0, 1];
const mask = (...data: number[]): MaskVolume => ({ shape: [data.length, 1, 1], affine, data: Uint8Array.from(data) });

test('what was asked for last stays; what was not goes when the limit is reached', async () => {
  const recent = recentImages(8);
  const read = vi.fn((of: MaskVolume) => Promise.resolve(of));
  const ask = (name: string, of: MaskVolume) => recent.get(name, 'mask', () => read(of));
  await ask('a', mask(1, 0, 1));
  await ask('b', mask(0, 1, 1));
  await ask('a', mask());
  await ask('c', mask(1, 1, 1));
  expect(read).toHaveBeenCalledTimes(3);
  expect(await ask('a', mask())).toEqual(mask(1, 0, 1));
  expect(read).toHaveBeenCalledTimes(3);
  expect(await ask('b', mask(0, 0, 0))).toEqual(mask(0, 0, 0));
});

test('one larger than the limit is given and not kept, and no image stands for a mask of the same file', async () => {
  const recent = recentImages(4);
  const labels: LabelVolume = { shape: [3, 1, 1], affine, data: new Uint16Array(3) };
  expect(await recent.get('a', 'labels', () => Promise.resolve(labels))).toBe(labels);
  expect(await recent.get('a', 'labels', () => Promise.resolve({ ...labels }))).not.toBe(labels);
  recent.put('b', 'mask', mask(1, 1));
  const empty: LabelVolume = { shape: [0, 1, 1], affine, data: new Uint16Array(0) };
  expect(await recent.get('b', 'labels', () => Promise.resolve(empty))).toBe(empty);
});

const folder = mkdtempSync(join(tmpdir(), 'engram-recent-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('what a task wrote is to the next one what a reader of the file finds', async () => {
  const wrote = { workDir: folder } as TaskContext;
  const data = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i) / 3);
  const image: Volume = { shape: [3, 4, 5], frames: 1, affine, data };
  const brain: MaskVolume = { shape: [3, 4, 5], affine, data: Uint8Array.from(data, (value) => Number(value > 0)) };
  await writeImage(wrote, 'image.nii.gz', image);
  await writeImage(wrote, 'mask.nii.gz', brain, { like: (await readNifti(join(folder, 'image.nii.gz'))).header });
  const path = (name: string) => join(folder, name);
  const sha256 = { image: await fileSha256(path('image.nii.gz')), mask: await fileSha256(path('mask.nii.gz')) };
  const gone = join(folder, 'gone');
  const reads = { input: (name: string) => ({ path: gone, sha256: name === 'image' ? sha256.image : sha256.mask }) };
  const context = reads as unknown as TaskContext;
  expect(await readImageAndHeader(context, 'image')).toEqual(await readNifti(await readFile(path('image.nii.gz'))));
  expect(await readMaskOf(context, 'mask')).toEqual((await readMask(path('mask.nii.gz'))).mask);
});
