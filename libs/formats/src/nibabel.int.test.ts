// nibabel opens what we write. Under CI, python3 with nibabel is set up first and must be there.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readNifti, writeField, writeNifti } from './index.ts';

// Not from libs/testing, which stands on this library.
const shared = fileURLToPath(new URL('../../../../shared/data', import.meta.url));
const script = fileURLToPath(new URL('../golden/describe.py', import.meta.url));
const hasNibabel = (() => {
  try {
    execFileSync('python3', ['-c', 'import nibabel'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

interface Description {
  shape: number[];
  affine: number[];
  qform: number[] | null;
  codes: [number, number];
  units: [string, string];
  intent: number;
  dtype: string;
  data: number[];
  sum: number;
}

test.runIf(process.env['CI'] === 'true')('CI has python3 with nibabel', () => {
  expect(hasNibabel).toBe(true);
});

describe.skipIf(!hasNibabel)('nibabel (needs python3 with nibabel)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'engram-nibabel-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const describeFile = (bytes: Uint8Array, name: string): Description => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return JSON.parse(execFileSync('python3', [script, path], { encoding: 'utf8', maxBuffer: 2 ** 28 }));
  };
  const affine = [-0.8, 0.1, 0.3, 20, 0.1, 1.2, -0.2, -30, 0.35, 0.15, 2.4, 5, 0, 0, 0, 1];
  const straight = [-0.8, 0, 0, 20, 0, 1.2, 0, -30, 0, 0, 2.4, 5, 0, 0, 0, 1];

  test.each(['uint8', 'uint16', 'int16', 'int32', 'float32', 'float64'] as const)(
    'opens %s in both versions',
    (datatype) => {
      const data = Float32Array.from({ length: 24 }, (_, i) => i * 9);
      for (const version of [1, 2] as const) {
        for (const gzip of [true, false, 'runs'] as const) {
          const bytes = writeNifti(
            { shape: [4, 3, 2], frames: 1, affine: straight, data },
            { datatype, version, gzip },
          );
          const seen = describeFile(bytes, `a.nii${gzip ? '.gz' : ''}`);
          expect(seen.shape).toEqual([4, 3, 2]);
          expect(seen.data).toEqual([...data]);
          expect(seen.dtype).toBe(datatype);
          expect(seen.codes).toEqual([1, 1]);
          expect(seen.units[0]).toBe('mm');
          for (let i = 0; i < 16; i++) {
            expect(seen.affine[i]).toBeCloseTo(straight[i], 5);
            expect(seen.qform?.[i]).toBeCloseTo(straight[i], 5);
          }
        }
      }
    },
  );

  test('sees scaled int16 as our reader does, sheared affine included', async () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i) * 1234.5);
    const bytes = writeNifti({ shape: [4, 3, 2], frames: 1, affine, data }, { datatype: 'int16' });
    const seen = describeFile(bytes, 'scaled.nii.gz');
    const { volume } = await readNifti(bytes);
    for (let i = 0; i < 24; i++) expect(Math.fround(seen.data[i])).toBeCloseTo(volume.data[i], 3);
    for (let i = 0; i < 16; i++) expect(seen.affine[i]).toBeCloseTo(affine[i], 5);
    expect(seen.qform).toBeNull();
  });

  test('sees frames with their seconds, and a field as a vector image', () => {
    const frames = writeNifti(
      { shape: [2, 1, 1], frames: 2, affine: straight, data: Float32Array.of(1, 2, 3, 4) },
      { frameSeconds: 60, spaceCode: 4 },
    );
    expect(describeFile(frames, 'f.nii.gz')).toMatchObject({
      shape: [2, 1, 1, 2],
      data: [1, 2, 3, 4],
      units: ['mm', 'sec'],
      codes: [4, 4],
    });
    const one = Float32Array.of(1, 2);
    const field = writeField({ shape: [2, 1, 1], affine: straight, x: one, y: one, z: one });
    expect(describeFile(field, 'w.nii.gz')).toMatchObject({
      shape: [2, 1, 1, 1, 3],
      intent: 1007,
      data: [-1, -2, -1, -2, 1, 2],
    });
  });

  test.skipIf(!existsSync(shared)).each([
    ['t1', 'IXI015-HH-1258_T1.nii.gz'],
    ['t1', 'hippodeep_T1_1p75mm.nii.gz'],
    ['t1', 'studyforrest_T1_1p5mm.nii.gz'],
    ['lesions', 'cross', 'patient07', 'FLAIR_N4_noneck_reduced_winsor_regtoFLAIR_brain_N4_regtoMNI.nii.gz'],
    ['stroke', 'sub-strokecase0001_ses-0001_adc.nii.gz'],
    ['pet', 'template', 'CN_PET_TEMPLATE.nii.gz'],
  ])('reads real images as we do, and our copies of them (needs ../shared/data): %s %s', async (...path) => {
    const file = join(shared, ...path);
    const theirs: Description = JSON.parse(execFileSync('python3', [script, file, 'brief'], { encoding: 'utf8' }));
    const { volume, header } = await readNifti(readFileSync(file), { name: path.at(-1) ?? '' });
    const copy = describeFile(writeNifti(volume, { like: header, gzip: 1 }), 'copy.nii.gz');
    for (const seen of [theirs, copy]) {
      expect(seen.shape).toEqual([...volume.shape]);
      for (let i = 0; i < 16; i++) expect(Math.abs(seen.affine[i] - volume.affine[i])).toBeLessThan(1e-4);
    }
    const sum = volume.data.reduce((total, value) => total + value, 0);
    expect(Math.abs(theirs.sum - sum)).toBeLessThan(Math.abs(sum) * 1e-6);
    expect(copy.sum).toBeCloseTo(sum, 3);
  });
});
