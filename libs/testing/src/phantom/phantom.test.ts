import { AAL_93, regionIndex } from '@engram/contracts';
import { applyAffine, determinant, type LabelVolume, type Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { addRandom, displacer, emptyField, exponential, type VectorField } from './diffeomorphism.ts';
import { petFromLabels, t1FromLabels } from './from-labels.ts';
import { phantomSession, type Template } from './patient.ts';
import { random } from './random.ts';
import { rigid } from './rigid.ts';
import { smooth } from './sample.ts';

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const sd = (values: ArrayLike<number>): number => {
  const m = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - m) ** 2)));
};

/** Concentric boxes of skin, bone, fluid, cortex, white matter, with a cerebellum of grey below. */
function toyLabels(n = 24): LabelVolume {
  const data = new Uint16Array(n ** 3);
  for (let k = 0, at = 0; k < n; k++)
    for (let j = 0; j < n; j++)
      for (let i = 0; i < n; i++, at++) {
        const depth = Math.min(i, j, k, n - 1 - i, n - 1 - j, n - 1 - k);
        data[at] = [0, 511, 515, 24, 3, 3][depth] ?? (k < n / 3 ? 8 : 2);
      }
  return { shape: [n, n, n], affine: [2, 0, 0, -20, 0, 2, 0, -20, 0, 0, 2, -20, 0, 0, 0, 1], data };
}

test('the same seed gives the same numbers, uniform and normal as they say', () => {
  const draw = (seed: number) => Array.from({ length: 4000 }, random(seed).normal);
  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
  expect(mean(draw(5))).toBeCloseTo(0, 1);
  expect(sd(draw(5))).toBeCloseTo(1, 1);
});

test('smoothing keeps the sum and has the stated width', () => {
  const point = new Float32Array(21 ** 3);
  point[10 * 441 + 10 * 21 + 10] = 1;
  const out = smooth(point, [21, 21, 21], [2, 1, 1.5]);
  expect(out.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  let variance = 0;
  out.forEach((value, at) => {
    variance += value * ((at % 21) - 10) ** 2;
  });
  expect(variance).toBeCloseTo(4, 1);
});

test('exp(-v) undoes exp(v), and the map is one-to-one', () => {
  const field = emptyField([-40, -40, -40], [40, 40, 40], 4);
  addRandom(field, 5, 16, random(2));
  const [x, y, z] = field.components.map((c) => c.map((v) => -v));
  const negated: VectorField = { ...field, components: [x, y, z] };
  const [there, back] = [displacer(exponential(field)), displacer(exponential(negated))];
  for (const p of [
    [0, 0, 0],
    [10, -7, 3],
    [-12, 9, 14],
  ] as const) {
    const again = back(there(p));
    expect(Math.hypot(again[0] - p[0], again[1] - p[1], again[2] - p[2])).toBeLessThan(0.1);
    const step = 0.5;
    const [a, b] = [there(p), there([p[0] + step, p[1], p[2]])];
    expect(b[0]).toBeGreaterThan(a[0]);
  }
});

test('a rigid motion keeps distances and its centre moves by the shift', () => {
  const m = rigid([10, -20, 30], [1, 2, 3], [5, 6, 7]);
  expect(determinant(m)).toBeCloseTo(1, 12);
  applyAffine(m, [5, 6, 7]).forEach((value, k) => {
    expect(value).toBeCloseTo([6, 8, 10][k], 12);
  });
});

test('a painted T1 has the tissue means, noise and volumes it says', () => {
  const labels = toyLabels();
  const { t1, truth } = t1FromLabels(labels, { noise: 0.03, biasSd: 0, seed: 4 });
  const deep = Array.from(t1.data).filter((_, at) => labels.data[at] === 2);
  expect(mean(deep)).toBeGreaterThan(106);
  const count = labels.data.filter((label) => label === 3 || label === 8).length;
  expect(truth.volumesMl.gm).toBeCloseTo((count * 8) / 1000, 6);
  expect(mean(truth.gm.data) * labels.data.length).toBeCloseTo(count, 0);
  const again = t1FromLabels(labels, { noise: 0.03, biasSd: 0, seed: 4 });
  expect(again.t1.data).toEqual(t1.data);
  expect(t1FromLabels(labels, { biasSd: 0.2 }).truth.bias).not.toContain(1);
});

test('coarser voxels keep the tissue volume', () => {
  const { truth } = t1FromLabels(toyLabels(), { voxelMm: 4 });
  expect(truth.gm.shape).toEqual([12, 12, 12]);
  const ml = (mean(truth.gm.data) * truth.gm.data.length * 64) / 1000;
  expect(Math.abs(ml / truth.volumesMl.gm - 1)).toBeLessThan(0.05);
});

test('a painted PET has its reference region at 1 and lies where its truth says', () => {
  const labels = toyLabels();
  const plain = petFromLabels(labels, { noise: 0, voxelMm: 2, fwhmMm: 4 });
  expect(plain.truth.suvrOf.get(8)).toBeCloseTo(1, 6);
  expect(plain.truth.suvrOf.get(2)).toBeLessThan(0.7);
  const moved = petFromLabels(labels, { noise: 0, voxelMm: 2, fwhmMm: 4, rigid: { degrees: 0, mm: 2 }, frames: 2 });
  expect(moved.pet.frames).toBe(2);
  const shift = [3, 7, 11].map((k) => moved.truth.t1ToPet[0][k]);
  const centroid = (image: Volume) => {
    const sum = [0, 0, 0, 0];
    for (let at = 0; at < 24 ** 3; at++) {
      const v = image.data[at];
      const p = applyAffine(image.affine, [at % 24, Math.floor(at / 24) % 24, Math.floor(at / 576)]);
      for (let k = 0; k < 3; k++) sum[k] += v * p[k];
      sum[3] += v;
    }
    return sum.slice(0, 3).map((value) => value / sum[3]);
  };
  const [from, to] = [centroid(plain.pet), centroid(moved.pet)];
  shift.forEach((mm, k) => {
    expect(Math.abs(to[k] - from[k] - mm)).toBeLessThan(0.2);
  });
});

/** A template whose left half is the left hippocampus, the rest a cerebellum: enough to see atrophy and decline. */
function toyTemplate(): Template {
  const shape = [30, 36, 30] as const;
  const affine = [4, 0, 0, -58, 0, 4, 0, -88, 0, 0, 4, -58, 0, 0, 0, 1];
  const length = shape[0] * shape[1] * shape[2];
  const image = (value: (inside: boolean) => number): Volume => ({
    shape,
    affine,
    frames: 1,
    data: Float32Array.from({ length }, (_, at) => value(inside(at))),
  });
  const inside = (at: number) => {
    const [i, j, k] = [at % 30, Math.floor(at / 30) % 36, Math.floor(at / 1080)];
    return i > 3 && i < 26 && j > 3 && j < 32 && k > 3 && k < 26;
  };
  const labels = new Uint16Array(length);
  const all = AAL_93.regions.map((region) => region.labels[0]);
  for (let at = 0; at < length; at++) {
    if (!inside(at)) continue;
    const [i, j, k] = [at % 30, Math.floor(at / 30) % 36, Math.floor(at / 1080)];
    labels[at] =
      i > 5 && i < 12 && j > 12 && j < 20 && k > 5 && k < 12
        ? all[regionIndex('Hippocampus_L')]
        : all[(i + 5 * Math.floor(j / 4) + 11 * k) % 93];
  }
  return {
    t1: image((is) => (is ? 90 : 0)),
    labels: { shape, affine, data: labels },
    gm: image((is) => (is ? 1 : 0)),
    wm: image(() => 0),
    csf: image(() => 0),
    intracranialMl: 1500,
  };
}

test('the phantom patient is reproducible, and its hippocampus shrinks and its uptake falls with severity', () => {
  const template = toyTemplate();
  const at = (severity: number) => phantomSession(template, { sessionDate: '2024-01-15', severity }, { voxelMm: 8 });
  const [early, late] = [at(0), at(1)];
  expect(at(0).t1.data).toEqual(early.t1.data);
  const hippocampus = regionIndex('Hippocampus_L');
  expect(late.truth.gmMm3[hippocampus]).toBeLessThan(0.95 * early.truth.gmMm3[hippocampus]);
  expect(late.truth.suvr[hippocampus]).toBeLessThan(0.95 * early.truth.suvr[hippocampus]);
  expect(early.pet.frames).toBe(4);
  expect(early.truth.headSizeMl).toBeCloseTo(1500 / determinant(early.truth.affine), 9);
});
