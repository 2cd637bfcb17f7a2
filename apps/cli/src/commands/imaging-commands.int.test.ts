import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorReport, registerReport } from '@engram/contracts';
import { readField, readItkAffine, readLabels, readNifti, writeNifti } from '@engram/formats';
import { rigid, t1FromLabels } from '@engram/testing';
import { type LabelVolume, multiplyAffines, type Volume } from '@engram/volume';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engram-cli-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function engram(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

/** Lopsided shells, so that only one pose fits. */
function head(): { t1: Volume; labels: LabelVolume } {
  const n = 40;
  const data = new Uint16Array(n ** 3);
  for (let k = 0, at = 0; k < n; k++)
    for (let j = 0; j < n; j++)
      for (let i = 0; i < n; i++, at++) {
        const r = Math.hypot((i - 20) / 0.8, (j - 19) / 1.1, k - 21 + (i > 24 ? 2 : 0));
        data[at] = r < 5 ? 4 : r < 9 ? 2 : r < 12 ? 3 : r < 13 ? 24 : r < 15 ? 515 : r < 16 ? 511 : 0;
      }
  const labels: LabelVolume = {
    shape: [n, n, n],
    affine: [4, 0, 0, -78, 0, 4, 0, -78, 0, 0, 4, -78, 0, 0, 0, 1],
    data,
  };
  return { t1: t1FromLabels(labels, { noise: 0.02, biasSd: 0, seed: 2 }).t1, labels };
}

test('register finds a known motion and writes everything needed to use it', async () => {
  const { t1, labels } = head();
  const motion = rigid([5, -4, 7], [6, -5, 3]);
  const moved = { ...t1, affine: multiplyAffines(motion, t1.affine) };
  const path = (name: string) => join(dir, name);
  await writeFile(path('fixed.nii.gz'), writeNifti(t1));
  await writeFile(path('moving.nii.gz'), writeNifti(moved));
  await writeFile(path('labels.nii.gz'), writeNifti({ ...labels, affine: moved.affine }));
  const { code, stdout } = await engram(
    ...[
      'register',
      '--fixed',
      path('fixed.nii.gz'),
      '--moving',
      path('moving.nii.gz'),
      '--labels',
      path('labels.nii.gz'),
    ],
    ...['--transform', 'rigid', '--out', path('out'), '--json'],
  );
  expect(code).toBe(0);
  const report = registerReport.parse(JSON.parse(stdout));
  expect(report.folded_voxels).toBe(0);
  expect(report.inverse_consistency_mm.p95).toBeLessThan(0.01);
  expect((await readdir(path('out'))).sort()).toEqual(
    ['affine.txt', 'field.nii.gz', 'inverse_field.nii.gz', 'labels.nii.gz', 'report.json', 'warped.nii.gz'].sort(),
  );
  const found = readItkAffine(await readFile(path('out/affine.txt'), 'utf8'));
  found.forEach((value, k) => {
    expect(Math.abs(value - motion[k])).toBeLessThan(k % 4 === 3 ? 1 : 0.02);
  });
  const { field: displacement } = await readField(path('out/field.nii.gz'));
  // The displacement of the first voxel is that of its corner under the motion, in mm.
  const corner = [-78, -78, -78];
  const expected = [0, 4, 8].map(
    (row, k) =>
      found[row] * corner[0] + found[row + 1] * corner[1] + found[row + 2] * corner[2] + found[row + 3] - corner[k],
  );
  [displacement.x[0], displacement.y[0], displacement.z[0]].forEach((value, k) => {
    expect(value).toBeCloseTo(expected[k], 3);
  });
  const carried = (await readLabels(path('out/labels.nii.gz'))).labels;
  const same = carried.data.filter((label, at) => label === labels.data[at]).length / labels.data.length;
  expect(same).toBeGreaterThan(0.93);
  expect((await readNifti(path('out/warped.nii.gz'))).volume.shape).toEqual(t1.shape);
});

test.each([
  [['process', '--t1', 'none.nii.gz', '--out', 'x', '--session-date', 'soon'], 'REQUEST_INVALID'],
  [['register', '--fixed', 'none.nii.gz', '--moving', 'none.nii.gz', '--out', 'x'], 'FILE_NOT_FOUND'],
  [['register', '--fixed', 'a', '--moving', 'b', '--out', 'x', '--transform', 'twisted'], 'REQUEST_INVALID'],
])('%j fails with one coded line, and one JSON object under --json', async (args, code) => {
  const plain = await engram(...args);
  expect(plain.code).toBe(1);
  expect(plain.stdout).toBe('');
  expect(plain.stderr.trim().split('\n')).toHaveLength(1);
  expect(plain.stderr).toContain(code);
  expect(plain.stderr).not.toContain('    at ');
  const json = await engram(...args, '--json');
  expect(json.code).toBe(1);
  expect(errorReport.parse(JSON.parse(json.stdout)).error.code).toBe(code);
});
