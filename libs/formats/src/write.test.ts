import { gunzipSync } from 'node:zlib';
import { orientationOf, reorient, type Volume } from '@engram/volume';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readField, readItkAffine, readLabels, readMask, readNifti, writeField, writeNifti } from './index.ts';

const affine = [-0.9, 0, 0.1, 20, 0, 1.1, 0, -30, 0.1, 0, 2, 5, 0, 0, 0, 1];
const volumeOf = (data: number[], frames = 1): Volume => ({
  shape: [data.length / frames, 1, 1],
  frames,
  affine,
  data: Float32Array.from(data),
});

test('equal images give equal bytes, without a time or an operating system', () => {
  const [a, b] = [writeNifti(volumeOf([1, 2, 3])), writeNifti(volumeOf([1, 2, 3]))];
  expect(a).toEqual(b);
  expect([...a.subarray(0, 10)]).toEqual([31, 139, 8, 0, 0, 0, 0, 0, a[8], 255]);
});

test.each(['uint8', 'uint16', 'int16', 'int32', 'float32', 'float64'] as const)(
  'whole numbers in range come back unchanged from %s, in both versions',
  async (datatype) => {
    for (const version of [1, 2] as const) {
      const { volume, header } = await readNifti(writeNifti(volumeOf([0, 1, 200, 255]), { datatype, version }));
      expect([...volume.data]).toEqual([0, 1, 200, 255]);
      expect(header).toMatchObject({ datatype, version, scaling: undefined });
    }
  },
);

test('int16 with scaling is within half a step anywhere in the range', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.float({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 20 }),
      async (values) => {
        const { volume } = await readNifti(writeNifti(volumeOf(values), { datatype: 'int16', gzip: false }));
        const [low, high] = [Math.min(...values), Math.max(...values)];
        const step = Math.max((high - low) / 65534, Math.max(Math.abs(low), Math.abs(high)) * 2 ** -22);
        for (const [i, value] of values.entries()) {
          expect(Math.abs(volume.data[i] - value)).toBeLessThanOrEqual(step * 0.51 + 1e-30);
        }
      },
    ),
  );
});

test('values that do not fit an integer datatype are refused, not wrapped', () => {
  const code = expect.objectContaining({ code: 'NIFTI_UNSUPPORTED' });
  expect(() => writeNifti(volumeOf([0, 256]), { datatype: 'uint8' })).toThrow(code);
  expect(() => writeNifti(volumeOf([-1]), { datatype: 'uint16' })).toThrow(code);
  expect(() => writeNifti(volumeOf([0.5]), { datatype: 'int32' })).toThrow(code);
});

test('NaN and infinity are never written', () => {
  const code = expect.objectContaining({ code: 'IMAGE_NOT_FINITE' });
  expect(() => writeNifti(volumeOf([1, Number.NaN]))).toThrow(code);
  expect(() => writeNifti(volumeOf([Infinity]))).toThrow(code);
});

test('a result computed in RAS is written in the orientation of its input', async () => {
  const psr = [0, 0, 2, 0, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1];
  const input: Volume = {
    shape: [2, 3, 4],
    frames: 1,
    affine: psr,
    data: Float32Array.from({ length: 24 }, (_, i) => i),
  };
  const { header } = await readNifti(writeNifti(input));
  const { volume } = await readNifti(writeNifti(reorient(input), { like: header }));
  expect(orientationOf(volume.affine)).toBe('ASR');
  expect(volume).toEqual(input);
});

test('frames keep their order and their spacing in time', async () => {
  const { volume, header } = await readNifti(writeNifti(volumeOf([1, 2, 3, 4, 5, 6], 3), { frameSeconds: 300 }));
  expect(volume.frames).toBe(3);
  expect([...volume.data]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(header.spacing[3]).toBe(300);
  const again = await readNifti(writeNifti(volume, { like: header }));
  expect(again.header.spacing[3]).toBe(300);
});

test('a sheared affine keeps its sform; the qform, which cannot hold it, is left unset', async () => {
  const sheared = [1, 0, 0.3, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const { volume, header } = await readNifti(writeNifti({ ...volumeOf([1]), affine: sheared }));
  expect(header.qformCode).toBe(0);
  expect(volume.affine[2]).toBeCloseTo(0.3, 6);
});

test('labels and masks come back as they were', async () => {
  const labels = { shape: [2, 1, 1] as const, affine, data: Uint16Array.of(0, 40000) };
  expect((await readLabels(writeNifti(labels))).labels.data).toEqual(labels.data);
  const mask = { shape: [2, 1, 1] as const, affine, data: Uint8Array.of(0, 1) };
  expect((await readMask(writeNifti(mask))).mask.data).toEqual(mask.data);
  expect((await readMask(writeNifti(volumeOf([0, -0.5, 3])))).mask.data).toEqual(Uint8Array.of(0, 1, 1));
});

test('a label map with fractions, negatives or frames is refused', async () => {
  await expect(readLabels(writeNifti(volumeOf([1.5])))).rejects.toMatchObject({ code: 'NIFTI_UNSUPPORTED' });
  await expect(readLabels(writeNifti(volumeOf([-1])))).rejects.toMatchObject({ code: 'NIFTI_UNSUPPORTED' });
  await expect(readLabels(writeNifti(volumeOf([1, 2], 2)))).rejects.toMatchObject({ code: 'IMAGE_DIMENSIONS' });
  await expect(readMask(writeNifti(volumeOf([1, 2], 2)))).rejects.toMatchObject({ code: 'IMAGE_DIMENSIONS' });
});

describe('fields', () => {
  const field = {
    shape: [2, 1, 1] as const,
    affine,
    x: Float32Array.of(1, 2),
    y: Float32Array.of(3, 4),
    z: Float32Array.of(5, 6),
  };

  test('come back as they were, and lie on disk as X,Y,Z,1,3 in LPS', async () => {
    const bytes = writeField(field);
    const back = await readField(bytes);
    expect(back.field).toMatchObject({ x: field.x, y: field.y, z: field.z });
    expect(back.header).toMatchObject({ intentCode: 1007, dims: [2, 1, 1, 1, 3] });
    const raw = gunzipSync(bytes);
    expect([0, 1, 2, 3, 4, 5].map((i) => raw.readFloatLE(352 + i * 4))).toEqual([-1, -2, -3, -4, 5, 6]);
  });

  test('are not taken for images, nor images for fields', async () => {
    await expect(readNifti(writeField(field), { name: 'warp.nii.gz' })).rejects.toMatchObject({
      code: 'IMAGE_DIMENSIONS',
      file: 'warp.nii.gz',
    });
    await expect(readField(writeNifti(volumeOf([1])))).rejects.toMatchObject({ code: 'IMAGE_DIMENSIONS' });
  });

  test('with NaN are not written', () => {
    expect(() => writeField({ ...field, y: Float32Array.of(Number.NaN, 0) })).toThrow(
      expect.objectContaining({ code: 'IMAGE_NOT_FINITE' }),
    );
  });
});

test('what is no 3D ITK matrix transform is refused by name', () => {
  const head = '#Insight Transform File V1.0\n#Transform 0\n';
  const good = `${head}Transform: AffineTransform_double_3_3\nParameters: 1 0 0 0 1 0 0 0 1 0 0 0\nFixedParameters: 0 0 0\n`;
  expect(readItkAffine(good)[0]).toBe(1);
  for (const bad of [
    'hello',
    good.replace('AffineTransform_double_3_3', 'BSplineTransform_double_3_3'),
    good.replace('AffineTransform_double_3_3', 'AffineTransform_double_2_2'),
    good.replace('1 0 0 0 1', '1 0 0 x 1'),
    good.replace('1 0 0 0 1', '1 0 0 0 1 9'),
    good.replace('1 0 0 0 1 0 0 0 1', '1 0 0 1 0 0 0 0 1'),
    `${good}Parameters: 1\n`,
    head + ' '.repeat(1e5),
  ]) {
    expect(() => readItkAffine(bad, { name: 'a.txt' })).toThrow(
      expect.objectContaining({ code: 'TRANSFORM_INVALID', file: 'a.txt' }),
    );
  }
});
