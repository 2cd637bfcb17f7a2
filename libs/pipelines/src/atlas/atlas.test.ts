import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNifti } from '@engram/formats';
import type { LabelVolume, Volume } from '@engram/volume';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deriveTemplate, tissuePosteriors } from './derive.ts';
import { ensureAtlas } from './ensure-atlas.ts';
import { loadAtlas } from './load-atlas.ts';

const n = 60;
const affine = [1, 0, 0, -30, 0, 1, 0, -30, 0, 0, 1, -30, 0, 0, 0, 1];
const radius = (at: number) => Math.hypot((at % n) - 30, (Math.floor(at / n) % n) - 30, Math.floor(at / (n * n)) - 30);
const fill = (value: (r: number, at: number) => number) =>
  Float32Array.from({ length: n ** 3 }, (_, at) => value(radius(at), at));
/** A ball: ventricle 0-4 mm, white to 16, grey to 24, fluid to 26, bone beyond; small deterministic texture. */
const head = fill(
  (r, at) => (r < 4 ? 30 : r < 16 ? 110 : r < 24 ? 80 : r < 26 ? 30 : r < 29 ? 8 : 0) + (r < 26 ? (at % 5) - 2 : 0),
);
const t1: Volume = { shape: [n, n, n], affine, frames: 1, data: head };
const brain: Volume = { ...t1, data: head.map((value, at) => (radius(at) < 26 ? value : 0)) };
const labels: LabelVolume = {
  shape: [n, n, n],
  affine,
  data: Uint16Array.from(fill((r, at) => (r < 24 && r > 5 ? (at % n < 30 ? 91 : 37) : 0))),
};

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engram-atlas-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function writeAtlas(change: Record<string, unknown> = {}): Promise<void> {
  const entry = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(dir, name), bytes);
    return { file: name, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const manifest = {
    schema: 'engram/atlas/1',
    name: 'ball',
    version: '1',
    source: 'this test',
    licence: 'none',
    t1: await entry('t1.nii.gz', writeNifti(t1)),
    brain: await entry('brain.nii.gz', writeNifti(brain)),
    labels: await entry('labels.nii.gz', writeNifti(labels)),
    ...change,
  };
  await writeFile(join(dir, 'atlas.json'), JSON.stringify(manifest));
}

test('tissues are told apart by intensity, in the order of T1', () => {
  const mask = Uint8Array.from(brain.data, (value) => (value > 0 ? 1 : 0));
  const { csf, gm, wm, means } = tissuePosteriors(brain.data, mask);
  expect(means.map(Math.round)).toEqual([30, 80, 110]);
  const at = (r: number) => 30 * n * n + 30 * n + 30 + r;
  expect(wm[at(10)]).toBeGreaterThan(0.99);
  expect(gm[at(20)]).toBeGreaterThan(0.99);
  expect(csf[at(25)]).toBeGreaterThan(0.99);
  expect(csf[at(28)] + gm[at(28)] + wm[at(28)]).toBe(0);
});

test('the intracranial volume reaches 2 mm beyond the brain image, the ventricles lie deep, the cerebellum is AAL’s', () => {
  const derived = deriveTemplate(brain, labels);
  const ball = (r: number) => ((4 / 3) * Math.PI * r ** 3) / 1000;
  expect(derived.intracranialMl).toBeGreaterThan(ball(26.5));
  expect(derived.intracranialMl).toBeLessThan(ball(28.5));
  const ventricles = derived.ventricles.data.reduce((sum, value) => sum + value, 0);
  expect(Math.abs(ventricles / 1000 / ball(4) - 1)).toBeLessThan(0.25);
  expect(derived.cerebellum.data.every((value, at) => value === (labels.data[at] === 91 ? 1 : 0))).toBe(true);
});

test('an atlas folder is checked, loaded, and named by its hash', async () => {
  await writeAtlas();
  const folder = await ensureAtlas({ dir });
  const atlas = await loadAtlas(folder);
  expect(atlas.name).toBe('ball');
  expect(atlas.labels.data).toEqual(labels.data);
  expect(folder.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('labels of another atlas become AAL’s by the name of their region', async () => {
  await writeAtlas({
    label_list: [
      { value: 37, region: 'Precuneus_R' },
      { value: 91, region: 'Vermis' },
    ],
  });
  const atlas = await loadAtlas(await ensureAtlas({ dir }));
  expect([...new Set(atlas.labels.data)].sort((a, b) => a - b)).toEqual([0, 68, 109]);
});

test.each([
  ['a changed file', { t1: { file: 't1.nii.gz', sha256: '0'.repeat(64) } }, 't1.nii.gz does not match'],
  ['a missing file', { brain: { file: 'none.nii.gz', sha256: '0'.repeat(64) } }, 'none.nii.gz is not in'],
  ['a path out of the folder', { brain: { file: '../x', sha256: '0'.repeat(64) } }, 'brain.file'],
  ['another schema', { schema: 'x' }, 'schema'],
])('%s is refused by name', async (_, change, words) => {
  await writeAtlas(change);
  await expect(ensureAtlas({ dir })).rejects.toMatchObject({
    code: 'ATLAS_UNAVAILABLE',
    message: expect.stringContaining(words),
  });
});

test('a region or value without a home is refused by name', async () => {
  await writeAtlas({
    label_list: [
      { value: 37, region: 'Area_51' },
      { value: 91, region: 'Vermis' },
    ],
  });
  await expect(ensureAtlas({ dir }).then(loadAtlas)).rejects.toThrow('Area_51');
  await writeAtlas({ label_list: [{ value: 91, region: 'Vermis' }] });
  await expect(ensureAtlas({ dir }).then(loadAtlas)).rejects.toThrow('value 37');
});

test('a folder without a manifest is refused with what is missing', async () => {
  await expect(ensureAtlas({ dir })).rejects.toThrow('atlas.json');
});
