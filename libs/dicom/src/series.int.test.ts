// Synthetic series, written to disk slice by slice: what the public data sets do not hold.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNifti } from '@engram/formats';
import { type DicomElements, dicomFile, dicomSlice, type SliceOptions } from '@engram/testing';
import { orientationOf, voxelSize } from '@engram/volume';
import { afterAll, describe, expect, test } from 'vitest';
import { convertSeries, petTimingOf, readDicomHeaders } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'engram-series-'));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
/** Writes files into a folder of their own and returns it. */
function folderOf(files: readonly Uint8Array[], name = (index: number) => `slice${index}.dcm`): string {
  const folder = mkdtempSync(join(root, `${folders++}-`));
  for (const [index, bytes] of files.entries()) writeFileSync(join(folder, name(index)), bytes);
  return folder;
}
const slices = (count: number, change: (index: number) => Partial<SliceOptions> = () => ({})): Buffer[] =>
  Array.from({ length: count }, (_, index) =>
    dicomSlice({ instance: index + 1, position: [0, 0, index * 2], ...change(index) }),
  );
const refusal = async (files: readonly Uint8Array[], options = {}) => {
  const error: unknown = await convertSeries(folderOf(files), options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(JSON.stringify(error)).not.toContain('CANARY');
  return error;
};

test('a series becomes an image in its place, the same bytes every time', async () => {
  const folder = folderOf(slices(5));
  const [a, b] = [await convertSeries(folder), await convertSeries(folder)];
  expect(a.nifti).toEqual(b.nifti);
  expect(a.volume.shape).toEqual([4, 4, 5]);
  expect(voxelSize(a.volume.affine).map((mm) => Math.round(mm * 1000))).toEqual([1000, 1000, 2000]);
  expect(orientationOf(a.volume.affine)).toBe('LAS');
  // Row 0 of the first slice lies at the last row: dcm2niix flips rows so that j runs to anterior.
  expect([...a.volume.data.slice(12, 16)]).toEqual([100, 101, 102, 103]);
  expect((await readNifti(a.nifti)).volume).toEqual(a.volume);
});

test('nothing about the person reaches the image, the sidecar or the warnings', async () => {
  const converted = await convertSeries(folderOf(slices(5)));
  const { volume: _, nifti, ...rest } = converted;
  expect(JSON.stringify(rest)).not.toContain('CANARY');
  const { header } = await readNifti(nifti);
  expect(header.description).toBe('dcm2niix');
});

describe('refused before conversion, by code, with the file or the series named', () => {
  test('a slice missing within', async () => {
    const files = slices(6);
    files.splice(3, 1);
    expect(await refusal(files)).toMatchObject({
      code: 'DICOM_SLICES_MISSING',
      file: 'slice3.dcm',
      message: expect.stringContaining('between instances 3 and 5'),
    });
  });
  test('a gantry tilt, written or only in the positions', async () => {
    const written = slices(5, () => ({ more: { '00181120': ['DS', '12.5'] } }));
    expect(await refusal(written)).toMatchObject({ code: 'DICOM_GANTRY_TILT', file: 'slice0.dcm' });
    const sheared = slices(5, (index) => ({ position: [0, index * 0.5, index * 2] }));
    expect(await refusal(sheared)).toMatchObject({ code: 'DICOM_GANTRY_TILT' });
  });
  test('one slice', async () => {
    expect(await refusal(slices(1))).toMatchObject({ code: 'DICOM_ONE_SLICE', file: 'slice0.dcm' });
  });
  test('a slice of another size, spacing or orientation', async () => {
    const odd = (change: Partial<SliceOptions>) => slices(5, (index) => (index === 3 ? change : {}));
    const expected = { code: 'DICOM_GEOMETRY', file: 'slice3.dcm' };
    expect(await refusal(odd({ rows: 6 }))).toMatchObject(expected);
    expect(await refusal(odd({ more: { '00280030': ['DS', '2\\2'] } }))).toMatchObject(expected);
    expect(await refusal(odd({ orientation: [0.995, 0.0998, 0, -0.0998, 0.995, 0] }))).toMatchObject(expected);
    expect(await refusal(odd({ orientation: [0, 0, 0, 0, 0, 0] }))).toMatchObject(expected);
  });
  test('uneven spacing', async () => {
    const uneven = slices(6, (index) => ({ position: [0, 0, index < 4 ? index * 2 : index * 2 + 0.7] }));
    expect(await refusal(uneven)).toMatchObject({ code: 'DICOM_GEOMETRY', file: 'slice4.dcm' });
  });
  test('a localiser, named or three stacks in one', async () => {
    const named = slices(5, () => ({ more: { '00080008': ['CS', 'ORIGINAL\\PRIMARY\\LOCALIZER'] } }));
    expect(await refusal(named)).toMatchObject({ code: 'DICOM_LOCALIZER' });
    const planes = [
      [1, 0, 0, 0, 1, 0],
      [0, 1, 0, 0, 0, -1],
      [1, 0, 0, 0, 0, -1],
    ];
    expect(await refusal(slices(3, (index) => ({ orientation: planes[index] })))).toMatchObject({
      code: 'DICOM_LOCALIZER',
    });
  });
  test('CT where MR is asked for', async () => {
    expect(
      await refusal(
        slices(5, () => ({ modality: 'CT' })),
        { modality: 'MR' },
      ),
    ).toMatchObject({
      code: 'IMAGE_MODALITY',
      file: 'slice0.dcm',
      message: expect.stringContaining('CT'),
    });
  });
  test('frames where a 3D image is expected, and the reverse', async () => {
    const frames = [...slices(4), ...slices(4, (index) => ({ instance: index + 5 }))];
    expect(await refusal(frames, { expect: '3d' })).toMatchObject({ code: 'IMAGE_DIMENSIONS' });
    expect(await refusal(slices(4), { expect: '4d' })).toMatchObject({ code: 'IMAGE_DIMENSIONS' });
    expect(await refusal(frames.slice(0, 7), {})).toMatchObject({ code: 'DICOM_SLICES_MISSING' });
  });
  test('a file cut short, anywhere', async () => {
    const files = slices(5);
    for (const keep of [140, 300, 500, files[2].length - 10]) {
      const cut = files.with(2, files[2].subarray(0, keep));
      expect(await refusal(cut)).toMatchObject({
        code: expect.stringMatching(/^DICOM_(TRUNCATED|INVALID)$/),
        file: 'slice2.dcm',
      });
    }
  });
  test('no pixels, no position, no DICOM, nothing', async () => {
    const header: DicomElements = { '00080060': ['CS', 'SR'], '0020000e': ['UI', '1.2'] };
    expect(await refusal([dicomFile(header)])).toMatchObject({ code: 'DICOM_NO_PIXELS', file: 'slice0.dcm' });
    const placeless = slices(5, (index) => (index === 2 ? { more: { '00200032': ['DS', ''] } } : {}));
    expect(await refusal(placeless)).toMatchObject({ code: 'DICOM_GEOMETRY', file: 'slice2.dcm' });
    expect(await refusal([Buffer.from('hello'.repeat(100))])).toMatchObject({
      code: 'DICOM_INVALID',
      file: 'slice0.dcm',
    });
    expect(await refusal([])).toMatchObject({ code: 'DICOM_NO_SERIES' });
    await expect(convertSeries('/nowhere/name')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', file: 'name' });
  });
  test('several series without a name for one', async () => {
    const two = [...slices(4), ...slices(4, () => ({ series: '1.2.826.0.1.2' }))];
    expect(await refusal(two)).toMatchObject({ code: 'DICOM_SEVERAL_SERIES' });
    expect(await refusal(two, { series: '9.9' })).toMatchObject({ code: 'DICOM_NO_SERIES' });
    expect((await convertSeries(folderOf(two), { series: '1.2.826.0.1.2' })).volume.shape).toEqual([4, 4, 4]);
  });
});

test('a single missing slice may be interpolated: the mean of its neighbours, at its place', async () => {
  const files = slices(6);
  const whole = await convertSeries(folderOf(files));
  const filled = await convertSeries(folderOf(files.toSpliced(3, 1)), { missingSlices: 'interpolate' });
  // Slice values grow linearly, so the mean is the slice itself.
  expect(filled.volume).toEqual(whole.volume);
  expect(filled.warnings).toContainEqual(expect.stringContaining('interpolated'));
  const twoGone = files.toSpliced(2, 2);
  expect(await refusal(twoGone, { missingSlices: 'interpolate' })).toMatchObject({ code: 'DICOM_SLICES_MISSING' });
});

test('files out of order, copies, other files and a preamble that hides a program do no harm', async () => {
  const files = slices(5);
  const whole = await convertSeries(folderOf(files));
  const odd = [files[3], files[0], files[4], files[4], files[2], files[1], Buffer.from('#!/bin/sh')];
  for (const file of odd.slice(0, 3)) file.write('MZ executable', 0);
  const mixed = await convertSeries(folderOf(odd, (index) => `f${index}`));
  expect(mixed.volume).toEqual(whole.volume);
});

test('of several echoes the first is taken, and said so', async () => {
  const echo = (ms: number, from: number) =>
    slices(4, (index) => ({ instance: from + index, more: { '00180081': ['DS', String(ms)] } }));
  const converted = await convertSeries(folderOf([...echo(3.4, 101), ...echo(1.6, 1)]));
  expect(converted.volume.shape).toEqual([4, 4, 4]);
  expect(converted.volume.frames).toBe(1);
  expect(Math.min(...converted.volume.data)).toBe(100);
  expect(converted.warnings).toContainEqual(expect.stringContaining('first of 2 echoes (1.6 ms)'));
});

test('an enhanced multi-frame file is one volume', async () => {
  const pixels = Buffer.alloc(5 * 32);
  for (let i = 0; i < 80; i++) pixels.writeUInt16LE(i, i * 2);
  const enhanced = dicomSlice({
    instance: 1,
    position: [0, 0, 0],
    more: {
      '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.4.1'],
      '00180023': ['CS', '3D'],
      '00280008': ['IS', '5'],
      '52009229': [
        'SQ',
        [
          {
            '00209116': ['SQ', [{ '00200037': ['DS', '1\\0\\0\\0\\1\\0'] }]],
            '00289110': ['SQ', [{ '00180050': ['DS', '2'], '00280030': ['DS', '1\\1'], '00180088': ['DS', '2'] }]],
          },
        ],
      ],
      '52009230': [
        'SQ',
        [0, 1, 2, 3, 4].map((index) => ({
          '00209113': ['SQ', [{ '00200032': ['DS', `0\\0\\${index * 2}`] }]],
        })),
      ],
      '7fe00010': ['OW', pixels],
    },
  });
  const { volume } = await convertSeries(folderOf([enhanced]));
  expect(volume.shape).toEqual([4, 4, 5]);
  expect(voxelSize(volume.affine)[2]).toBeCloseTo(2, 4);
  expect([...volume.data].sort((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, i) => i));
});

test('frame times of a dynamic PET count from the injection', async () => {
  const pet = (frame: number, index: number): Partial<SliceOptions> => ({
    modality: 'PT',
    instance: frame * 4 + index + 1,
    position: [0, 0, index * 2],
    more: {
      '00080022': ['DA', '20240116'],
      '00080032': ['TM', frame === 0 ? '000500.00' : '001000.00'],
      '00181242': ['IS', '300000'],
      '00540016': ['SQ', [{ '00181072': ['TM', '231500.00'] }]],
    },
  });
  const files = [0, 1].flatMap((frame) => slices(4, (index) => pet(frame, index)));
  const { series } = await readDicomHeaders(folderOf(files));
  expect(petTimingOf(series[0])).toEqual({
    zero: 'injection',
    frames: [
      { start: 3000, duration: 300 },
      { start: 3300, duration: 300 },
    ],
  });
  const { volume } = await convertSeries(folderOf(files), { modality: 'PT', expect: '4d' });
  expect(volume.frames).toBe(2);
});

test('slices of a PET, each with a rescale slope of its own, keep their activity', async () => {
  const slope = (index: number) => 0.25 * (index + 1);
  const files = slices(4, (index) => ({
    modality: 'PT',
    more: {
      '00281052': ['DS', '0'],
      '00281053': ['DS', String(slope(index))],
      '00541001': ['CS', 'BQML'],
    },
  }));
  const { volume } = await convertSeries(folderOf(files), { modality: 'PT' });
  for (let k = 0; k < 4; k++) {
    const stored = Array.from({ length: 16 }, (_, i) => i + (k + 1) * 100);
    const seen = [...volume.data.subarray(k * 16, k * 16 + 16)].sort((a, b) => a - b);
    for (const [i, value] of stored.entries()) expect(seen[i]).toBeCloseTo(value * slope(k), 1);
  }
});

test('a conversion is stopped at its time, its memory and its caller’s wish', async () => {
  const folder = folderOf(slices(5));
  await expect(convertSeries(folder, { limits: { timeoutMs: 1 } })).rejects.toMatchObject({
    code: 'DICOM_CONVERSION_LIMIT',
  });
  await expect(convertSeries(folder, { limits: { memoryMb: 16 } })).rejects.toMatchObject({
    code: expect.stringMatching(/^DICOM_CONVERSION_(LIMIT|FAILED)$/),
  });
  await expect(convertSeries(folder, { signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow(
    'cancelled',
  );
  const later = new AbortController();
  setTimeout(() => later.abort(new Error('cancelled later')), 60);
  await expect(convertSeries(folder, { signal: later.signal })).rejects.toThrow('cancelled later');
});

test('a folder of too many or too large files is refused', async () => {
  const folder = folderOf(slices(5));
  await expect(readDicomHeaders(folder, { limits: { maxFiles: 3 } })).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  await expect(readDicomHeaders(folder, { limits: { maxFileBytes: 100 } })).rejects.toMatchObject({
    code: 'FILE_TOO_LARGE',
    file: 'slice0.dcm',
  });
});
