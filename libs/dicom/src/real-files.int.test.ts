// Real scanners' files (../shared/data/dicom): transfer syntaxes, vendors, broken files, whole studies.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNifti } from '@engram/formats';
import { type DicomElements, dicomFile, hasSharedData, sharedData } from '@engram/testing';
import { applyAffine, invertAffine, orientationOf, reorient, type Volume } from '@engram/volume';
import dicomParser from 'dicom-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseSeries, convertChecked, convertSeries, factsOfSeries, readDicomHeaders } from './index.ts';
import { normalisePixels } from './normalise-pixels.ts';

/** Every voxel of one image against the other at the same place in the world, whatever their axes. */
function expectSameInWorld(a: Volume, b: Volume, tolerance = 0): void {
  expect(a.data.length).toBe(b.data.length);
  const toB = invertAffine(b.affine);
  const [nx, ny, nz] = a.shape;
  let [worst, off] = [0, 0];
  for (let t = 0; t < a.frames; t++) {
    for (let k = 0, n = t * nx * ny * nz; k < nz; k++) {
      for (let j = 0; j < ny; j++) {
        for (let i = 0; i < nx; i++, n++) {
          const p = applyAffine(toB, applyAffine(a.affine, [i, j, k]));
          const [x, y, z] = p.map(Math.round);
          off = Math.max(off, Math.abs(p[0] - x), Math.abs(p[1] - y), Math.abs(p[2] - z));
          const other = b.data[((t * b.shape[2] + z) * b.shape[1] + y) * b.shape[0] + x];
          worst = Math.max(worst, Math.abs(a.data[n] - other) || (other === undefined ? Infinity : 0));
        }
      }
    }
  }
  expect(off, 'largest offset in voxels').toBeLessThan(0.02);
  expect(worst, 'largest difference').toBeLessThanOrEqual(tolerance);
}

describe.skipIf(!hasSharedData)('real files (need ../shared/data)', () => {
  test.each([1, 2, 3, 4, 5])('transfer syntax %i gives the reference image: a mosaic of 35 slices', async (index) => {
    const { volume } = await convertSeries(sharedData('dicom', 'transfer_syntax', `${index}.dcm`));
    const reference = await readNifti(sharedData('dicom', 'transfer_syntax', 'Ref', '1.nii.gz'));
    expect(volume.data).toEqual(reference.volume.data);
    for (let i = 0; i < 16; i++) expect(volume.affine[i]).toBeCloseTo(reference.volume.affine[i], 4);
  });

  test.each([
    ['ge/anatomical', '001', '001_ground_truth'],
    ['ge/anatomical', '001_implicit', '001_implicit_ground_truth'],
    ['siemens/anatomical', '001', '001_ground_truth'],
    ['hitachi/anatomical', '001', '001_ground_truth'],
  ])('%s/%s has every voxel where another converter puts it', async (vendor, series, truth) => {
    const folder = sharedData('dicom', 'vendors', vendor);
    const { volume } = await convertSeries(join(folder, series));
    for (const file of [`${truth}.nii.gz`, `${truth}_reoriented.nii.gz`]) {
      expectSameInWorld(volume, (await readNifti(join(folder, file))).volume);
    }
  });

  test.each([
    ['philips/anatomical', [4, 240, 240], 1],
    ['philips/dti', [2, 128, 128], 4],
    ['ge/dti', [4, 128, 128], 2],
    ['siemens/fmri_classic', [4, 192, 192], 2],
  ])('%s converts whole, frames apart', async (vendor, sizes, frames) => {
    const { volume } = await convertSeries(sharedData('dicom', 'vendors', vendor, '001'));
    expect([...volume.shape].sort((a, b) => a - b)).toEqual(sizes);
    expect(volume.frames).toBe(frames);
  });

  test('a single slice is refused by name', async () => {
    const folder = sharedData('dicom', 'vendors', 'ge', 'anatomical', '001_single_slice');
    await expect(convertSeries(folder)).rejects.toMatchObject({
      code: 'DICOM_ONE_SLICE',
      file: 'IM-0001-0112-0001.dcm',
    });
  });

  test.each([
    'MR_small_RLE',
    'MR_small_bigendian',
    'MR_small_expb',
    'MR_small_implicit',
    'MR_small_jp2klossless',
    'MR_small_jpeg_ls_lossless',
    'MR_small_padded',
  ])('%s decodes to the pixels of MR_small', async (name) => {
    const read = (file: string) => convertSeries(sharedData('dicom', 'pydicom', `${file}.dcm`), { minSlices: 1 });
    expect((await read(name)).volume).toEqual((await read('MR_small')).volume);
  });

  test.each([
    ['MR2_J2KR', 'MR2_UNCR'],
    ['MR2_J2KI', 'MR2_UNCI'],
  ])('%s, JPEG 2000 in several fragments, decodes to the pixels of %s', async (compressed, plain) => {
    const read = (file: string) => convertSeries(sharedData('dicom', 'pydicom', `${file}.dcm`), { minSlices: 1 });
    expect((await read(compressed)).volume).toEqual((await read(plain)).volume);
  });

  test('multi-frame RLE becomes the pixels of the uncompressed file', () => {
    const read = (name: string) => readFileSync(sharedData('dicom', 'pydicom', `${name}.dcm`));
    const decoded = Buffer.from(normalisePixels(read('emri_small_RLE'), 'emri_small_RLE.dcm')[0]);
    const plain = read('emri_small');
    const pixels = 64 * 64 * 10 * 2;
    const of = (file: Buffer) => {
      const at = file.lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57]));
      return file.subarray(at + 12, at + 12 + pixels);
    };
    expect(of(decoded).length).toBe(pixels);
    expect(of(decoded).equals(of(plain))).toBe(true);
  });

  test('a multi-frame file of compressed frames is one volume, every frame at its place', async () => {
    const source = readFileSync(sharedData('dicom', 'pydicom', 'MR_small_jp2klossless.dcm'));
    const [codestream] = dicomParser.parseDicom(source).elements['x7fe00010'].fragments ?? [];
    const frame = source.subarray(codestream.position, codestream.position + codestream.length);
    const item = (bytes: Uint8Array) => {
      const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
      head.writeUInt32LE(bytes.length, 4);
      return Buffer.concat([head, bytes]);
    };
    const dataset: DicomElements = {
      '00080008': ['CS', 'ORIGINAL\\PRIMARY\\T1\\NONE'],
      '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.4.1'],
      '00080018': ['UI', '1.2.3.4'],
      '00080060': ['CS', 'MR'],
      '0020000d': ['UI', '1.2'],
      '0020000e': ['UI', '1.2.3'],
      '00280002': ['US', [1]],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280008': ['IS', '3'],
      '00280010': ['US', [64]],
      '00280011': ['US', [64]],
      '00280100': ['US', [16]],
      '00280101': ['US', [16]],
      '00280102': ['US', [15]],
      '00280103': ['US', [1]],
      '52009229': [
        'SQ',
        [
          {
            '00209116': ['SQ', [{ '00200037': ['DS', '1\\0\\0\\0\\1\\0'] }]],
            '00289110': ['SQ', [{ '00180050': ['DS', '2'], '00280030': ['DS', '0.5\\0.5'] }]],
          },
        ],
      ],
      '52009230': ['SQ', [4, 0, 2].map((z) => ({ '00209113': ['SQ', [{ '00200032': ['DS', `-8\\-9\\${z}`] }]] }))],
    };
    const open = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    const parts = [open, item(new Uint8Array(0)), item(frame), item(frame), item(frame), end];
    const folder = mkdtempSync(join(tmpdir(), 'engram-frames-'));
    try {
      const file = join(folder, 'frames.dcm');
      writeFileSync(file, Buffer.concat([dicomFile(dataset, '1.2.840.10008.1.2.4.90'), ...parts]));
      const { volume } = await convertSeries(file);
      const one = await convertSeries(sharedData('dicom', 'pydicom', 'MR_small.dcm'), { minSlices: 1 });
      expect(volume.shape).toEqual([64, 64, 3]);
      for (let k = 0; k < 3; k++) {
        expect(volume.data.subarray(k * 4096, (k + 1) * 4096)).toEqual(one.volume.data);
      }
      const corner = applyAffine(invertAffine(volume.affine), [8, 9, 0]);
      expect(corner.map((index) => Math.round(index * 100) / 100 + 0)).toEqual([0, 63, 0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ['MR_truncated.dcm', 'DICOM_TRUNCATED'],
    ['MR_small.dcm', 'DICOM_ONE_SLICE'],
    ['emri_small.dcm', 'DICOM_GEOMETRY'],
    ['LICENSE', 'DICOM_INVALID'],
  ])('%s is refused by name with %s', async (file, code) => {
    await expect(convertSeries(sharedData('dicom', 'pydicom', file))).rejects.toMatchObject({
      code,
      file,
      message: expect.stringContaining(code === 'DICOM_ONE_SLICE' ? 'single slice' : file),
    });
  });

  describe('whole studies', () => {
    const folder = mkdtempSync(join(tmpdir(), 'engram-studies-'));
    const unpacked = (name: string) => join(folder, name);
    beforeAll(() => {
      for (const name of ['fnndsc_adi_brain_mr_study', 'studyforrest_T1_dicom']) {
        execFileSync('mkdir', [unpacked(name)]);
        execFileSync('tar', ['-C', unpacked(name), '-xf', sharedData('dicom', `${name}.tar.xz`)]);
      }
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    test('of a mixed study the MPRAGE is chosen, and every other series has its reason', async () => {
      const { series, refused, ignored } = await readDicomHeaders(unpacked('fnndsc_adi_brain_mr_study'));
      expect(refused).toEqual([]);
      expect(ignored).toEqual(['mesh.stl', 'mesh2.stl']);
      const choice = chooseSeries(series.map(factsOfSeries));
      expect(choice.t1?.description).toBe('mocoMEMPRAGE_220FOV RMS');
      expect(choice.pet).toBeUndefined();
      const reasons = choice.decisions.map(({ role, reason }) => `${role}: ${reason}`).sort();
      expect(reasons).toEqual([
        'none: not a T1: T2- or proton-density-weighted',
        'none: not a T1: a derived image (PERFUSION)',
        'none: not a T1: a derived image (PERFUSION)',
        't1: 3D inversion-recovery gradient echo (MPRAGE or IR-SPGR), 1.15 x 1.15 x 1.00 mm, no contrast agent',
      ]);
    });

    test('its MPRAGE lacks one slice of 176: refused as it is, completed when that is allowed', async () => {
      const { series } = await readDicomHeaders(unpacked('fnndsc_adi_brain_mr_study'));
      const mprage = series.find(({ files }) => files.length === 175);
      if (mprage === undefined) throw new Error('the MPRAGE is gone');
      await expect(convertChecked(mprage)).rejects.toMatchObject({
        code: 'DICOM_SLICES_MISSING',
        message: expect.stringContaining('between instances 114 and 116'),
      });
      const { volume, warnings } = await convertChecked(mprage, { expect: '3d', missingSlices: 'interpolate' });
      expect(volume.shape).toEqual([192, 192, 176]);
      expect(warnings).toContainEqual(expect.stringContaining('1 missing slice'));
      // Each corner of the volume where the headers put it: first and last slice, LPS turned to RAS.
      const { files } = mprage;
      for (const { instance } of [files[0], files[60], files[174]]) {
        const [x, y, z] = instance.planes[0].position ?? [NaN, NaN, NaN];
        const [i, j, k] = applyAffine(invertAffine(volume.affine), [-x, -y, z]);
        for (const index of [i, j, k]) expect(Math.abs(index - Math.round(index))).toBeLessThan(0.01);
        expect(Math.abs(k - ((instance.instanceNumber ?? NaN) - 1))).toBeLessThan(0.01);
      }
    });

    test('384 slices of a whole head become one image in its place', async () => {
      const { volume, header } = await convertSeries(unpacked('studyforrest_T1_dicom'), {
        modality: 'MR',
        expect: '3d',
      });
      expect(volume.shape).toEqual([274, 384, 384]);
      expect(header.sformCode).toBe(1);
      // The same head at 1.5 mm: smoothed and resampled, so only roughly alike, but in the same place.
      const small = reorient((await readNifti(sharedData('t1', 'studyforrest_T1_1p5mm.nii.gz'))).volume);
      expect(correlation(small, volume)).toBeGreaterThan(0.95);
      expect(orientationOf(volume.affine)).toMatch(/^[RL][AP][SI]$/);
    });

    test('one of its files cut short is refused by name', async () => {
      const source = unpacked('studyforrest_T1_dicom');
      const [sub] = readdirSync(source);
      const file = join(source, sub, '0100.dcm');
      const copy = join(folder, 'cut.dcm');
      execFileSync('sh', ['-c', 'head -c 100000 "$0" > "$1"', file, copy]);
      await expect(convertSeries([file, copy])).rejects.toMatchObject({ code: 'DICOM_TRUNCATED', file: 'cut.dcm' });
    });
  });
});

/** Pearson's, each voxel of `a` against the nearest of `b` in the world. */
function correlation(a: Volume, b: Volume): number {
  const toB = invertAffine(b.affine);
  const [nx, ny, nz] = a.shape;
  let [n, sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < nz; k += 2) {
    for (let j = 0; j < ny; j += 2) {
      for (let i = 0; i < nx; i += 2) {
        const [x, y, z] = applyAffine(toB, applyAffine(a.affine, [i, j, k])).map(Math.round);
        if (x < 0 || y < 0 || z < 0 || x >= b.shape[0] || y >= b.shape[1] || z >= b.shape[2]) continue;
        const p = a.data[(k * ny + j) * nx + i];
        const q = b.data[(z * b.shape[1] + y) * b.shape[0] + x];
        n++;
        sx += p;
        sy += q;
        sxx += p * p;
        syy += q * q;
        sxy += p * q;
      }
    }
  }
  return (n * sxy - sx * sy) / Math.sqrt((n * sxx - sx * sx) * (n * syy - sy * sy));
}
