// The whole pipeline on a coarse phantom whose truth is known. One store is shared by the tests, in order: what an earlier
// one computed a later one finds, as in service.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AAL_93, ARTIFACTS, regionIndex } from '@engram/contracts';
import { readLabels, readNifti, writeNifti } from '@engram/formats';
import { random } from '@engram/testing';
import { sameGrid } from '@engram/volume';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../canonical-json.ts';
import { type RunOptions, type RunOutcome, runPipeline } from '../runner.ts';
import type { RunInput } from '../task.ts';
import { folderTaskStore } from '../task-store.ts';
import { compareWithGolden } from './golden.fixture.ts';
import type { AdniParameters } from './parameters.ts';
import { atlasForTests, type PhantomFiles, writePhantom } from './phantom.fixture.ts';
import { pipeline } from './pipeline.ts';
import { type SessionFiles, writeSession } from './write-session.ts';

const atlas = atlasForTests;
const withAtlas = test.skipIf(atlas === undefined);
let dir: string;
let phantom: PhantomFiles;
let full: RunOutcome;
let session: SessionFiles;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engram-adni-'));
  if (atlas) phantom = await writePhantom(atlas, dir);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function run(
  name: string,
  inputs: Record<string, RunInput>,
  store = 'store',
  more: Partial<RunOptions<AdniParameters>> = {},
): Promise<RunOutcome> {
  return runPipeline({
    definition: pipeline,
    inputs,
    resources: { atlas: { path: atlas?.dir ?? '', sha256: atlas?.sha256 ?? '' } },
    store: folderTaskStore(join(dir, store)),
    workDir: join(dir, name),
    device: { backend: 'wasm' },
    ...more,
  });
}

const both = () => ({ t1: { path: phantom.t1Path }, pet: { path: phantom.petPath } });
const write = (outcome: RunOutcome, name: string): Promise<SessionFiles> =>
  writeSession(
    outcome,
    {
      patientId: 'PHANTOM-001',
      sessionDate: '2024-09-16',
      atlas: { name: atlas?.manifest.name ?? '', version: atlas?.manifest.version ?? '', sha256: atlas?.sha256 ?? '' },
      engineVersion: '0.1.0',
    },
    join(dir, name),
  );

function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (k: number) => number) => a.reduce((s, _, k) => s + f(k), 0);
  return sum((k) => (a[k] - ma) * (b[k] - mb)) / Math.sqrt(sum((k) => (a[k] - ma) ** 2) * sum((k) => (b[k] - mb) ** 2));
}

withAtlas('a T1 alone gives features, and says that PET is awaited', async () => {
  const outcome = await run('t1-only', { t1: { path: phantom.t1Path } });
  expect(outcome.error).toBeUndefined();
  const { features } = await write(outcome, 't1-only-out');
  expect(features?.pet_roi_features).toBeNull();
  expect(features?.waiting).toEqual(['pet']);
  expect(features?.mri_roi_features).toHaveLength(93);
});

withAtlas('PET that comes later runs its own tasks only, and the seven objects are written', async () => {
  full = await run('full', both());
  expect(full.error).toBeUndefined();
  const again = full.tasks.filter(({ reused }) => !reused).map(({ name }) => name);
  expect(again).toEqual(['import-pet', 'pet-average', 'pet-to-t1', 'suvr', 'features', 'quality']);
  session = await write(full, 'out');
  expect(session.artifacts.map(({ name }) => name).sort()).toEqual(Object.values(ARTIFACTS).sort());
  expect(session.artifacts.at(-1)?.name).toBe('roi_features.json');
});

withAtlas('the objects lie on the grid of the input, in its orientation', async () => {
  const t1 = (await readNifti(phantom.t1Path)).volume;
  for (const name of [ARTIFACTS.mriBrain, ARTIFACTS.petSuvr, ARTIFACTS.brainMask]) {
    const { volume } = await readNifti(join(dir, 'out', name));
    expect(sameGrid(volume, t1)).toBe(true);
    expect(volume.affine.map((v) => Math.sign(Math.round(v)))).toEqual(t1.affine.map((v) => Math.sign(Math.round(v))));
  }
  const { labels } = await readLabels(join(dir, 'out', ARTIFACTS.atlasInT1));
  expect(sameGrid(labels, t1)).toBe(true);
  expect(Math.max(...labels.data)).toBeLessThanOrEqual(116);
});

withAtlas('the numbers agree with what the phantom was made of', () => {
  const { features, quality } = session;
  const { truth } = phantom;
  expect(quality.verdict).toBe('pass');
  expect(quality.reasons).toEqual([]);
  // 4 mm voxels: partial volume decides how close one may come.
  expect(pearson(features?.mri_roi_features ?? [], truth.gmMm3)).toBeGreaterThan(0.95);
  expect(pearson(features?.pet_roi_features ?? [], truth.suvr)).toBeGreaterThan(0.93);
  expect(Math.abs((features?.head_size_ml ?? 0) / truth.headSizeMl - 1)).toBeLessThan(0.06);
  // Relative to its own mean uptake the posterior cingulate has lost most, the precentral gyrus next to nothing.
  const pet = features?.pet_roi_features ?? [];
  expect(pet[regionIndex('Cingulum_Post_L')]).toBeLessThan(pet[regionIndex('Calcarine_L')]);
  expect(features?.pet).toMatchObject({
    tracer: 'FDG',
    frames: 2,
    window_s: [1800, 2400],
    reference_region: 'whole-cerebellum',
  });
  expect(features?.region_list.sha256).toBe(AAL_93.sha256);
  expect(features?.atlas_registration.method).toBe('deformable');
});

withAtlas('the digest is of the document without its time stamp', async () => {
  const document = JSON.parse(await readFile(join(dir, 'out', ARTIFACTS.roiFeatures), 'utf8'));
  const { digest, preprocessing_timestamp: time, ...rest } = document;
  expect(Date.parse(time)).not.toBeNaN();
  expect(digestOf(rest)).toBe(digest);
});

withAtlas(
  'kill -9 of the child in the middle repeats nothing finished, and the bytes are the same in the end',
  async () => {
    let killed = false;
    const crashed = await run('crash', both(), 'second', {
      onProgress: ({ task, taskStatus }) => {
        if (killed || task !== 'atlas' || taskStatus !== 'running') return;
        killed = true;
        const children = execFileSync('ps', ['--ppid', String(process.pid), '-o', 'pid=,args='], { encoding: 'utf8' });
        const line = children.split('\n').find((entry) => entry.includes('child.ts') && entry.includes('adni'));
        process.kill(Number(line?.trim().split(/\s+/)[0]), 'SIGKILL');
      },
    });
    expect(crashed.error?.code).toBe('TASK_CRASHED');
    expect(crashed.failedTask).toBe('atlas');
    const resumed = await run('resume', both(), 'second');
    expect(resumed.error).toBeUndefined();
    const reused = resumed.tasks.filter((task) => task.reused).map(({ name }) => name);
    expect(reused).toEqual(expect.arrayContaining(['import-t1', 'n4', 'brain', 'tissue', 'import-pet', 'pet-to-t1']));
    const other = await write(resumed, 'resumed-out');
    const hashes = (files: SessionFiles) =>
      files.artifacts
        .filter(({ name }) => name !== ARTIFACTS.preprocessingLog && name !== ARTIFACTS.roiFeatures)
        .map(({ name, sha256 }) => [name, sha256]);
    expect(hashes(other)).toEqual(hashes(session));
    expect(other.features?.digest).toBe(session.features?.digest);
  },
);

withAtlas('a PET of another head fails quality control, whatever the fit', async () => {
  const outcome = await run('other', { t1: { path: phantom.t1Path }, pet: { path: phantom.otherHeadPath } });
  expect(outcome.error).toBeUndefined();
  const { quality } = await write(outcome, 'other-out');
  expect(quality.verdict).toBe('fail');
  expect(quality.reasons.join()).toContain('pet_t1');
});

withAtlas('an affine atlas gives features to review; a rigid one gives pictures only and fails', async () => {
  const t1 = { t1: { path: phantom.t1Path } };
  const affine = await write(
    await run('affine', t1, 'store', { parameters: { registration: { transform: 'affine' } } }),
    'affine-out',
  );
  expect(affine.quality.verdict).toBe('review');
  expect(affine.features?.atlas_registration.method).toBe('affine');
  const rigid = await write(
    await run('rigid', t1, 'store', { parameters: { registration: { transform: 'rigid' } } }),
    'rigid-out',
  );
  expect(rigid.quality.verdict).toBe('fail');
  expect(rigid.features).toBeUndefined();
  expect(rigid.artifacts.map(({ name }) => name)).toContain('atlas_in_t1.nii.gz');
  expect(rigid.artifacts.map(({ name }) => name)).not.toContain('roi_features.json');
});

withAtlas('noise in the shape of a T1 is refused or fails, and never gives a pass', async () => {
  const { normal } = random(11);
  const noise = { ...phantom.t1, data: phantom.t1.data.map(() => Math.abs(100 + 30 * normal())) };
  const path = join(dir, 'noise.nii.gz');
  await writeFile(path, writeNifti(noise));
  const outcome = await run('noise', { t1: { path } });
  if (outcome.status === 'completed') expect((await write(outcome, 'noise-out')).quality.verdict).toBe('fail');
  else expect(outcome.error).toMatchObject({ retryable: false });
});

withAtlas('a T1 in four dimensions is refused by name, and asked for again never', async () => {
  const outcome = await run('four', { t1: { path: phantom.petPath } });
  expect(outcome.error).toMatchObject({ code: 'IMAGE_DIMENSIONS', file: 'pet.nii.gz', retryable: false });
  expect(outcome.tasks.find(({ name }) => name === 'n4')?.status).toBe('skipped');
});

withAtlas('no task changed its output without a new version', async () => {
  expect(await compareWithGolden(full, pipeline.tasks)).toEqual([]);
});

withAtlas('nibabel reads the images as we wrote them', () => {
  const script = `
import json, sys, nibabel as nib, numpy as np
out = {}
for name in sys.argv[2:]:
    image = nib.load(sys.argv[1] + '/' + name); data = np.asarray(image.dataobj)
    out[name] = [list(image.shape), bool(np.isfinite(data).all()), float(data.max()), image.get_qform(coded=True)[1]]
print(json.dumps(out))`;
  const images = Object.values(ARTIFACTS).filter((name) => name.endsWith('.nii.gz'));
  const found = pythonWithNibabel(script, [join(dir, 'out'), ...images]);
  if (found === undefined) return;
  const read: Record<string, [number[], boolean, number, number]> = JSON.parse(found);
  for (const name of images) {
    expect(read[name][0]).toEqual([...phantom.t1.shape]);
    expect(read[name][1]).toBe(true);
    expect(read[name][2]).toBeGreaterThan(0);
    expect(read[name][3]).toBe(1);
  }
});

/** undefined where this machine has no Python with nibabel. */
function pythonWithNibabel(script: string, args: readonly string[]): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import nibabel'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return execFileSync('python3', ['-c', script, ...args], { encoding: 'utf8' });
}
