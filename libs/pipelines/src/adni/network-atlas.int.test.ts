// The whole pipeline with a segmenter whose answer is known: its labels are bands of the corrected T1's own intensity, so
// what the labels must follow is in other files of the run.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AAL_93 } from '@engram/contracts';
import { readLabels, readMask, readNifti } from '@engram/formats';
import { voxelVolume } from '@engram/volume';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunOutcome, runPipeline } from '../runner.ts';
import { writeBands } from '../segmenter/bands.fixture.ts';
import { checkSegmenter, type SegmenterFolder } from '../segmenter/open-segmenter.ts';
import { folderTaskStore } from '../task-store.ts';
import { atlasForTests, type PhantomFiles, writePhantom } from './phantom.fixture.ts';
import { pipeline } from './pipeline.ts';
import { type SessionFiles, writeSession } from './write-session.ts';

const atlas = atlasForTests;
const withAtlas = test.skipIf(atlas === undefined);
let dir: string;
let phantom: PhantomFiles;
let segmenter: SegmenterFolder;
let outcome: RunOutcome;
let session: SessionFiles;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engram-network-'));
  if (!atlas) return;
  phantom = await writePhantom(atlas, dir);
  // The size of the T1's own voxels.
  await writeBands(join(dir, 'bands'), { spacingMm: 4 });
  segmenter = await checkSegmenter(join(dir, 'bands'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const run = (name: string, network?: SegmenterFolder, pet = false): Promise<RunOutcome> =>
  runPipeline({
    definition: pipeline,
    inputs: { t1: { path: phantom.t1Path }, ...(pet ? { pet: { path: phantom.petPath } } : {}) },
    resources: {
      atlas: { path: atlas?.dir ?? '', sha256: atlas?.sha256 ?? '' },
      ...(network ? { segmenter: { path: network.dir, sha256: network.sha256 } } : {}),
    },
    store: folderTaskStore(join(dir, 'store')),
    workDir: join(dir, name),
    device: { backend: 'wasm' },
  });
const keyOf = ({ tasks }: RunOutcome) => tasks.find(({ name }) => name === 'atlas')?.key;

withAtlas('T1 and PET give all objects, and their lineage names the network', async () => {
  outcome = await run('network', segmenter, true);
  expect(outcome.error).toBeUndefined();
  const { name = '', version = '' } = atlas?.manifest ?? {};
  session = await writeSession(
    outcome,
    {
      patientId: 'PHANTOM-001',
      sessionDate: '2024-09-16',
      atlas: { name, version, sha256: atlas?.sha256 ?? '' },
      engineVersion: '0.1.0',
    },
    join(dir, 'out'),
  );
  expect(session.features?.atlas_registration.method).toBe('network');
  expect(session.features?.lineage.segmenter).toEqual({ name: 'bands', version: '1', sha256: segmenter.sha256 });
  expect(session.features?.pet_roi_features).toHaveLength(93);
});

/** Pearson's. */
function correlation(pairs: readonly (readonly [number, number])[]): number {
  const mean = (k: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [a, b] = [mean(0), mean(1)];
  const sum = (of: (x: number, y: number) => number) => pairs.reduce((all, [x, y]) => all + of(x - a, y - b), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

withAtlas(
  'labels follow the intensity inside the brain, and each region holds the grey matter under its own',
  async () => {
    const { volume: t1 } = await readNifti(outcome.output('n4/n4.nii.gz'));
    const { mask } = await readMask(outcome.output('brain/brain_mask.nii.gz'));
    const { volume: gm } = await readNifti(outcome.output('tissue/gm.nii.gz'));
    const { labels } = await readLabels(outcome.output('atlas/atlas_in_t1.nii.gz'));
    const pairs: [number, number][] = [];
    const outside = 0;
    const grey = new Float64Array(117);
    labels.data.forEach((label, at) => {
      if (mask.data[at] === 0) expect(label).toBe(0);
      else pairs.push([label, t1.data[at]]);
      grey[label] += gm.data[at] * voxelVolume(gm.affine);
    });
    expect(outside).toBe(0);
    expect(pairs.length).toBeGreaterThan(10_000);
    // The phantom's T1 lies oblique: going to the network's axes and back blurs coarse voxels. label-by-network.test.ts is exact.
    expect(correlation(pairs)).toBeGreaterThan(0.8);
    AAL_93.regions.forEach((region, index) => {
      const expected = region.labels.reduce((sum, label) => sum + grey[label], 0);
      const found = session.features?.mri_roi_features[index] ?? Number.NaN;
      expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-5 * expected);
    });
  },
);

withAtlas('labels that heed no side of the brain fail quality control, and say why', () => {
  const side = session.quality.metrics.find(({ name }) => name === 'segmentation_own_side_percent');
  expect(side?.verdict).toBe('fail');
  expect(side?.value).toBeGreaterThan(35);
  expect(side?.value).toBeLessThan(65);
  expect(session.quality.verdict).toBe('fail');
  expect(session.quality.registration_quality).toBe('failed');
  expect(session.quality.reasons.join()).toContain('segmentation_own_side_percent');
});

withAtlas(
  'the network is in the key: the same is found again, another and none are not, and the rest is reused',
  async () => {
    const again = await run('again', segmenter);
    expect(again.tasks.find(({ name }) => name === 'atlas')).toMatchObject({ reused: true, key: keyOf(outcome) });
    await writeBands(join(dir, 'other'), { spacingMm: 4, version: '2' });
    const other = await run('other', await checkSegmenter(join(dir, 'other')));
    const none = await run('none');
    expect(new Set([outcome, other, none].map(keyOf)).size).toBe(3);
    for (const { tasks } of [other, none])
      expect(tasks.filter(({ reused }) => reused).map(({ name }) => name)).toEqual([
        'import-t1',
        'n4',
        'brain',
        'tissue',
      ]);
  },
);

withAtlas(
  'a network that is not the one the run was started for fails the run by name, and is tried again never',
  async () => {
    const outdated = { ...segmenter, sha256: '0'.repeat(64) };
    const { error, failedTask } = await run('outdated', outdated);
    expect(failedTask).toBe('atlas');
    expect(error).toMatchObject({ code: 'MODEL_CORRUPT', file: 'manifest.json', retryable: false });
  },
);
