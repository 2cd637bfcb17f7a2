// Golden files: golden/generate.py (nibabel, SimpleITK).
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { applyAffine, flipLps, orientationOf, type Vec3 } from '@engram/volume';
import { describe, expect, test } from 'vitest';
import { readField, readItkAffine, readNifti, readNiftiHeader, writeItkAffine, writeNifti } from './index.ts';

interface Expected {
  nifti: Record<string, { shape: number[]; affine: number[]; codes: string; data: number[] }>;
  affines: Record<string, { points: Vec3[]; mapped: Vec3[] }>;
  field: { indices: Vec3[]; points: Vec3[]; mapped: Vec3[] };
}
const golden = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const expected: Expected = JSON.parse(readFileSync(golden('expected.json'), 'utf8'));

describe.each(Object.entries(expected.nifti))('%s', (name, answer) => {
  test('holds what nibabel says it holds', async () => {
    const { volume, header } = await readNifti(golden(name));
    expect([...volume.shape, ...(volume.frames > 1 ? [volume.frames] : [])]).toEqual(answer.shape);
    expect(orientationOf(volume.affine)).toBe(answer.codes);
    for (let i = 0; i < 16; i++) expect(Math.abs(volume.affine[i] - answer.affine[i])).toBeLessThan(1e-5);
    expect([...volume.data]).toEqual([...Float32Array.from(answer.data)]);
    expect(header.littleEndian).toBe(!name.includes('big'));
    expect(header.version).toBe(name.startsWith('nifti2') ? 2 : 1);
  });

  test('reads the same from memory, and its header alone', async () => {
    const bytes = readFileSync(golden(name));
    const { volume, header } = await readNifti(bytes, { name });
    expect(await readNiftiHeader(golden(name))).toEqual(header);
    expect(volume).toEqual((await readNifti(golden(name))).volume);
  });

  test('survives writing and reading, in its space, orientation and codes', async () => {
    const { volume, header } = await readNifti(golden(name));
    const again = await readNifti(writeNifti(volume, { like: header }));
    expect(again.volume.data).toEqual(volume.data);
    expect(orientationOf(again.volume.affine)).toBe(answer.codes);
    for (let i = 0; i < 16; i++) expect(Math.abs(again.volume.affine[i] - volume.affine[i])).toBeLessThan(1e-5);
    if (header.sformCode > 0) expect(again.header.sformCode).toBe(header.sformCode);
    if (header.qformCode > 0) expect(again.header.qformCode).toBe(header.qformCode);
  });
});

test('every golden image is listed, so that none goes unread', () => {
  const files = readdirSync(golden('')).filter((name) => /\.nii(\.gz)?$/.test(name) && name !== 'field.nii');
  expect(files.sort()).toEqual(Object.keys(expected.nifti).sort());
});

test('an ITK affine takes points where SimpleITK takes them', () => {
  for (const [name, { points, mapped }] of Object.entries(expected.affines)) {
    const affine = readItkAffine(readFileSync(golden(name), 'utf8'), { name });
    const again = readItkAffine(writeItkAffine(affine, [4, 5, 6]));
    for (const [index, point] of points.entries()) {
      for (const transform of [affine, again]) {
        const ours = flipLps(applyAffine(transform, flipLps(point)));
        for (let k = 0; k < 3; k++) expect(ours[k]).toBeCloseTo(mapped[index][k], 9);
      }
    }
  }
});

test('a displacement field moves points as SimpleITK moves them', async () => {
  const { field } = await readField(golden('field.nii'));
  const [nx, ny] = field.shape;
  for (const [index, [i, j, k]] of expected.field.indices.entries()) {
    const at = (k * ny + j) * nx + i;
    const p = applyAffine(field.affine, [i, j, k]);
    const moved = flipLps([p[0] + field.x[at], p[1] + field.y[at], p[2] + field.z[at]]);
    for (let axis = 0; axis < 3; axis++) {
      expect(flipLps(p)[axis]).toBeCloseTo(expected.field.points[index][axis], 4);
      expect(moved[axis]).toBeCloseTo(expected.field.mapped[index][axis], 4);
    }
  }
});
