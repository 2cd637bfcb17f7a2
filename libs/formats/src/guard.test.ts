// Every case here is accepted, truncated or thrown raw by nifti-reader-js itself.
import { gzipSync } from 'node:zlib';
import { EngramError } from '@engram/errors';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNifti, readNiftiHeader, writeNifti } from './index.ts';

const plain = writeNifti(
  {
    shape: [4, 3, 2],
    frames: 1,
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    data: Float32Array.from({ length: 24 }, (_, i) => i),
  },
  { gzip: false },
);
const changed = (change: (view: DataView) => void): Uint8Array => {
  const bytes = plain.slice();
  change(new DataView(bytes.buffer));
  return bytes;
};

const sizes = (view: DataView, size: number) => {
  for (const at of [42, 44, 46]) view.setInt16(at, size, true);
};

test.each<[string, string, Uint8Array]>([
  ['sizes of 32767³', 'IMAGE_DIMENSIONS', changed((v) => sizes(v, 32767))],
  ['sizes within the limit whose product is not', 'FILE_TOO_LARGE', changed((v) => sizes(v, 2048))],
  ['a size of -1', 'IMAGE_DIMENSIONS', changed((v) => v.setInt16(42, -1, true))],
  ['a size of 0', 'IMAGE_DIMENSIONS', changed((v) => v.setInt16(44, 0, true))],
  ['one voxel row more than it holds', 'NIFTI_TRUNCATED', changed((v) => v.setInt16(42, 5, true))],
  ['dim[0] of 32767', 'NIFTI_INVALID', changed((v) => v.setInt16(40, 32767, true))],
  ['dim[0] of 0', 'NIFTI_INVALID', changed((v) => v.setInt16(40, 0, true))],
  ['two dimensions', 'IMAGE_DIMENSIONS', changed((v) => v.setInt16(40, 2, true))],
  ['a vox_offset of 1e9', 'NIFTI_TRUNCATED', changed((v) => v.setFloat32(108, 1e9, true))],
  ['a vox_offset of NaN', 'NIFTI_INVALID', changed((v) => v.setFloat32(108, Number.NaN, true))],
  ['a vox_offset of -8', 'NIFTI_INVALID', changed((v) => v.setFloat32(108, -8, true))],
  ['a vox_offset inside the header', 'NIFTI_INVALID', changed((v) => v.setFloat32(108, 348, true))],
  ['datatype 0', 'NIFTI_UNSUPPORTED', changed((v) => v.setInt16(70, 0, true))],
  ['complex voxels', 'NIFTI_UNSUPPORTED', changed((v) => v.setInt16(70, 32, true))],
  ['RGB voxels', 'NIFTI_UNSUPPORTED', changed((v) => v.setInt16(70, 128, true))],
  ['a slope with an infinite intercept', 'NIFTI_INVALID', changed((v) => v.setFloat32(116, Infinity, true))],
  ['a NaN in its sform', 'IMAGE_GEOMETRY', changed((v) => v.setFloat32(280, Number.NaN, true))],
  ['a singular sform', 'IMAGE_GEOMETRY', changed((v) => v.setFloat32(280, 0, true))],
  [
    'a qform quaternion longer than 1',
    'IMAGE_GEOMETRY',
    changed((v) => [v.setInt16(254, 0, true), v.setFloat32(256, 2, true)]),
  ],
  [
    'a qform with a spacing of 0',
    'IMAGE_GEOMETRY',
    changed((v) => [v.setInt16(254, 0, true), v.setFloat32(80, 0, true)]),
  ],
  ['a NaN voxel', 'IMAGE_NOT_FINITE', changed((v) => v.setFloat32(356, Number.NaN, true))],
  ['an infinite voxel', 'IMAGE_NOT_FINITE', changed((v) => v.setFloat32(356, Infinity, true))],
  ['a .hdr/.img pair', 'NIFTI_UNSUPPORTED', changed((v) => v.setUint8(345, 0x69))],
  ['no magic', 'NIFTI_INVALID', changed((v) => v.setUint8(344, 0))],
  ['half its voxels', 'NIFTI_TRUNCATED', plain.subarray(0, 352 + 48)],
  ['half its header', 'NIFTI_INVALID', plain.subarray(0, 100)],
  ['nothing', 'NIFTI_INVALID', new Uint8Array(0)],
  ['text', 'NIFTI_INVALID', new TextEncoder().encode('<html>not found</html>'.repeat(30))],
  ['half a gzip stream', 'NIFTI_TRUNCATED', gzipSync(plain).subarray(0, 100)],
  [
    'a gzip stream with a flipped checksum',
    'GZIP_INVALID',
    gzipSync(plain).map((b, i, all) => (i === all.length - 6 ? b ^ 1 : b)),
  ],
  ['gzip bytes that are none', 'GZIP_INVALID', Uint8Array.from([31, 139, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9])],
])('a file with %s is refused by name with %s', async (_, code, bytes) => {
  await expect(readNifti(bytes, { name: 'scan.nii' })).rejects.toMatchObject({
    code,
    file: 'scan.nii',
    message: expect.stringContaining('scan.nii'),
  });
});

test('a broken extension does no harm: extensions are never walked', async () => {
  const bytes = new Uint8Array(plain.length + 16);
  bytes.set(plain.subarray(0, 352));
  bytes[348] = 1;
  new DataView(bytes.buffer).setFloat32(108, 368, true);
  bytes.set(plain.subarray(352), 368);
  expect((await readNifti(bytes)).volume.data[5]).toBe(5);
});

test('a header whose units are micrometres or metres is read in millimetres', async () => {
  const spacing = async (units: number) => (await readNiftiHeader(changed((v) => v.setUint8(123, units)))).affine[0];
  expect(await spacing(1)).toBe(1000);
  expect(await spacing(2)).toBe(1);
  expect(await spacing(3)).toBe(0.001);
});

/** A header that claims `size` bytes of zeros, and the zeros. */
function bomb(shape: [number, number, number], claimed = shape): Uint8Array {
  const header = changed((v) => {
    for (const [axis, n] of claimed.entries()) v.setInt16(42 + 2 * axis, n, true);
  }).subarray(0, 352);
  const zeros = new Uint8Array(shape[0] * shape[1] * shape[2] * 4);
  return gzipSync(Buffer.concat([header, zeros]), { level: 9 });
}

test('a gzip bomb is refused before it is inflated', async () => {
  const bytes = bomb([512, 512, 200]);
  expect(bytes.length).toBeLessThan(300_000);
  global.gc?.();
  const before = process.memoryUsage().rss;
  await expect(readNifti(bytes, { name: 'bomb.nii.gz' })).rejects.toMatchObject({
    code: 'GZIP_INVALID',
    file: 'bomb.nii.gz',
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
});

test('a gzip bomb behind a small image is left uninflated', async () => {
  const bytes = bomb([512, 512, 200], [4, 3, 2]);
  const before = process.memoryUsage().rss;
  const { volume } = await readNifti(bytes);
  expect(volume.data.length).toBe(24);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
});

test('a claim that deflate could not keep is refused without allocating it', async () => {
  await expect(readNifti(bomb([4, 3, 2], [512, 512, 512]))).rejects.toMatchObject({ code: 'NIFTI_TRUNCATED' });
});

test('an empty 256³ float mask is no bomb', async () => {
  const { volume } = await readNifti(bomb([256, 256, 256]));
  expect(volume.data.length).toBe(256 ** 3);
});

test('limits are the caller’s to set', async () => {
  await expect(readNifti(plain, { limits: { maxFileBytes: 100 } })).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  await expect(readNifti(plain, { limits: { maxDimension: 3 } })).rejects.toMatchObject({ code: 'IMAGE_DIMENSIONS' });
  await expect(readNifti(plain, { limits: { maxImageBytes: 95 } })).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
});

test('a missing file or a folder is named without its path', async () => {
  await expect(readNifti('/nowhere/patient-name/t1.nii')).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    message: 't1.nii cannot be opened',
  });
  await expect(readNifti('/tmp')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});

test('any change of bytes gives an image or a coded error that names the file, never anything else', async () => {
  const version2 = writeNifti(
    {
      shape: [4, 3, 2],
      frames: 1,
      affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
      data: new Float32Array(24),
    },
    { gzip: false, version: 2 },
  );
  const sources = [plain, version2, gzipSync(plain), gzipSync(version2)].map((bytes) => Uint8Array.from(bytes));
  const edit = fc.record({
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    value: fc.integer({ min: 0, max: 255 }),
  });
  const header = fc.record({ at: fc.integer({ min: 0, max: 543 }), value: fc.constantFrom(0, 1, 127, 128, 255) });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sources),
      fc.array(edit, { maxLength: 4 }),
      fc.array(header, { maxLength: 4 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.boolean(),
      async (source, edits, fields, cut, truncate) => {
        const bytes = source.slice();
        for (const { at, value } of edits) bytes[Math.floor(at * bytes.length)] = value;
        for (const { at, value } of fields) if (at < bytes.length) bytes[at] = value;
        const mutant = truncate ? bytes.subarray(0, Math.floor(cut * bytes.length)) : bytes;
        try {
          const { volume, header: read } = await readNifti(mutant, {
            name: 'mutant.nii',
            limits: { maxImageBytes: 2 ** 24 },
          });
          expect(volume.data.length).toBe(read.dims.reduce((product, n) => product * n, 1));
          expect(volume.data.every(Number.isFinite)).toBe(true);
        } catch (error) {
          if (!(error instanceof EngramError)) throw error;
          expect(error).toMatchObject({ file: 'mutant.nii' });
          expect(error.code).not.toBe('INTERNAL');
        }
      },
    ),
    { numRuns: 3000 },
  );
});
