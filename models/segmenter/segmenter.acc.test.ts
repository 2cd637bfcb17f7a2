// Trains a tiny network on made-up label maps, stops it, goes on, exports it, and lets the pipeline's own loader judge what
// came out: its golden case holds what JAX computed, so a folder that opens is a graph that agrees with the training code.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AAL_93 } from '@engram/contracts';
import { writeNifti } from '@engram/formats';
import { checkSegmenter, openSegmenter } from '@engram/pipelines';
import type { LabelVolume } from '@engram/volume';
import { afterAll, beforeAll, expect, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const packages = 'import jax, optax, nibabel, onnx';
const hasPython = spawnSync('python3', ['-c', packages], { stdio: 'ignore' }).status === 0;
const withPython = test.skipIf(!hasPython);
const why = 'needs python3 with models/segmenter/requirements.txt';

const EDGE = 32;
const LABELS = [0, ...AAL_93.regions.map(({ labels }) => labels[0])];
let dir: string;

/** A ball of 93 blocks in a shell of fluid and skin; FreeSurfer's numbers by depth, left and right by side. */
function maps(radius: number): Record<'structures' | 'regions', LabelVolume> {
  const affine = [4, 0, 0, -62, 0, 4, 0, -62, 0, 0, 4, -62, 0, 0, 0, 1];
  const paint = (value: (r: number, x: number, y: number, z: number) => number): LabelVolume => ({
    shape: [EDGE, EDGE, EDGE],
    affine,
    data: Uint16Array.from({ length: EDGE ** 3 }, (_, at) => {
      const [x, y, z] = [at % EDGE, Math.floor(at / EDGE) % EDGE, Math.floor(at / EDGE ** 2)];
      return value(Math.hypot(x - 15.5, y - 15.5, z - 15.5), x, y, z);
    }),
  });
  return {
    structures: paint((r, x) => {
      if (r >= radius) return r < radius + 1 ? 24 : r < radius + 3 ? 511 : 0;
      return (r < radius / 2 ? 2 : 3) + (x < 16 ? 0 : 39);
    }),
    regions: paint((r, x, y, z) => (r < radius ? 1 + (((x >> 3) + 4 * (y >> 3) + 16 * (z >> 3)) % 93) : 0)),
  };
}

const python = (script: string, ...words: string[]): { readonly out: string; readonly err: string } => {
  const { status, stdout, stderr } = spawnSync('python3', [join(here, script), ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr.slice(-2000)}`);
  return { out: stdout, err: stderr };
};

const SMALL = ['--grid', '32', '32', '32', '--spacing', '4', '--channels', '6', '--levels', '3', '--rate', '0.01'];
const train = (run: string, steps: number): readonly number[] => {
  const words = ['--data', dir, '--maps', 'a', 'b', '--out', join(dir, run), '--steps', String(steps)];
  const { err } = python('train.py', ...words, ...SMALL, '--every', '6');
  return [...err.matchAll(/^step \d+ loss ([\d.]+)/gm)].map(([, loss]) => Number(loss));
};

beforeAll(async () => {
  if (!hasPython) return;
  dir = await mkdtemp(join(tmpdir(), 'engram-segmenter-'));
  for (const [name, radius] of [
    ['a', 11],
    ['b', 12],
    ['c', 11.5],
  ] as const) {
    await mkdir(join(dir, name));
    for (const [file, map] of Object.entries(maps(radius)))
      await writeFile(join(dir, name, `${file}.nii.gz`), writeNifti(map));
  }
  const names = LABELS.map((_, channel) => AAL_93.regions[channel - 1]?.name ?? 'none');
  const mirror = LABELS.map((_, channel) => channel);
  await writeFile(join(dir, 'regions.json'), JSON.stringify({ labels: LABELS, names, mirror }));
});
afterAll(async () => {
  if (dir) await rm(dir, { recursive: true, force: true });
});

withPython(`the loss falls, and a run that was stopped goes on as if it had not been (${why})`, () => {
  const whole = train('whole', 24);
  const early = whole.slice(0, 6).reduce((sum, loss) => sum + loss, 0);
  const late = whole.slice(-6).reduce((sum, loss) => sum + loss, 0);
  expect(late).toBeLessThan(0.95 * early);
  train('stopped', 6);
  const resumed = train('stopped', 24);
  // The same numbers in the same order; a compiler may sum them otherwise in another process.
  expect(Math.abs((resumed.at(-1) ?? 0) - (whole.at(-1) ?? 0))).toBeLessThan(1e-3);
});

withPython('a run is not continued with other settings', () => {
  expect(() =>
    python('train.py', '--data', dir, '--maps', 'a', '--out', join(dir, 'whole'), '--steps', '25', ...SMALL),
  ).toThrow('another maps, files');
});

withPython(
  'the export gives in the pipeline’s runtime what JAX computed, on any grid that its divisor allows',
  async () => {
    python('export.py', '--run', join(dir, 'whole'), '--out', join(dir, 'model'), '--version', '1');
    const { manifest } = await checkSegmenter(join(dir, 'model'));
    expect(manifest.output.labels).toEqual(LABELS);
    expect(manifest.input).toMatchObject({ spacing_mm: 4, divisor: 4 });
    expect(manifest.provenance).toMatchObject({ steps: 24, maps: ['a', 'b'] });
    expect(manifest.golden.values.length).toBeGreaterThan(500);
    // A golden case of equal values would prove nothing.
    expect(Math.max(...manifest.golden.values) - Math.min(...manifest.golden.values)).toBeGreaterThan(0.01);
    const segmenter = await openSegmenter(join(dir, 'model'));
    const maps = await segmenter.posteriors(new Float32Array(8 * 12 * 16).fill(0.5), [8, 12, 16]);
    await segmenter.close();
    for (let at = 0; at < 8 * 12 * 16; at += 101) expect(maps.reduce((sum, map) => sum + map[at], 0)).toBeCloseTo(1, 4);
  },
);

withPython('the export is refused where the golden case is another by more than its tolerance', async () => {
  const file = join(dir, 'model', 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  manifest.golden.values[7] += 2 * manifest.golden.tolerance;
  await writeFile(file, JSON.stringify(manifest));
  await expect(openSegmenter(join(dir, 'model'))).rejects.toMatchObject({ field: 'golden.values.7' });
});

withPython('a held-back map is evaluated region by region, and one that was trained on is refused', () => {
  const words = ['--run', join(dir, 'whole'), '--data', dir, '--images', '2', '--json'];
  const { regions } = JSON.parse(python('evaluate.py', ...words, '--maps', 'c').out);
  expect(Object.keys(regions.c).length).toBeGreaterThan(20);
  for (const value of Object.values<number>(regions.c)) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1);
  }
  expect(() => python('evaluate.py', ...words, '--maps', 'a')).toThrow('trained on a');
});

const OPTIONS = { encoding: 'utf8' } as const;
withPython('synthesised images change with their key, stay in 0 to 1, and carry their regions with them', () => {
  const script = `
import sys; sys.path.insert(0, sys.argv[1])
import jax, json, numpy as np
from pathlib import Path
from dataset import classes_of, read_map, read_regions
from synthesise import synthesise
data = Path(sys.argv[2]); classes = classes_of(data, ['a']); case = read_map(data, 'a', classes)
mirror = read_regions(data).mirror
make = jax.jit(lambda key: synthesise(key, case, classes, mirror, (32, 32, 32), 4.0))
out = []
for seed in (1, 1, 2, 3):
    image, regions = map(np.asarray, make(jax.random.key(seed)))
    inside = regions > 0
    out.append([float(image.min()), float(image.max()), float(image.mean()), int(inside.sum()), len(np.unique(regions))])
print(json.dumps(out))`;
  const rows: number[][] = JSON.parse(execFileSync('python3', ['-c', script, here, dir], OPTIONS));
  expect(rows[0]).toEqual(rows[1]);
  expect(new Set(rows.map(([, , mean]) => mean)).size).toBe(3);
  const ball = (4 / 3) * Math.PI * 11 ** 3;
  for (const [low, high, , inside, regions] of rows) {
    expect(low).toBe(0);
    expect(high).toBe(1);
    expect(Math.abs(inside / ball - 1)).toBeLessThan(0.6);
    expect(regions).toBeGreaterThan(20);
  }
});
