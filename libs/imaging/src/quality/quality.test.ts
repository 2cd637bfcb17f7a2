import { random, t1FromLabels } from '@engram/testing';
import type { LabelVolume, Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { judge, reasonsOf, worst } from './metric.ts';
import { assessMotion } from './motion.ts';
import { registrationQuality } from './registration-quality.ts';
import { correlation, diceOf, softDice, statisticsOf } from './statistics.ts';
import { t1Quality } from './t1-quality.ts';

const n = 56;
/** Concentric shells: air, skin, bone, fluid, cortex, white matter with a grey core; 3 mm voxels. */
const labels: LabelVolume = {
  shape: [n, n, n],
  affine: [3, 0, 0, -84, 0, 3, 0, -84, 0, 0, 3, -84, 0, 0, 0, 1],
  data: Uint16Array.from({ length: n ** 3 }, (_, at) => {
    const r = Math.hypot((at % n) - 28, (Math.floor(at / n) % n) - 28, Math.floor(at / (n * n)) - 28);
    return r < 6 ? 10 : r < 15 ? 2 : r < 18.5 ? 3 : r < 19.5 ? 24 : r < 20.5 ? 515 : r < 22 ? 511 : 0;
  }),
};
const phantom = (noise: number) => t1FromLabels(labels, { noise, biasSd: 0, seed: 9 });
const named = (metrics: ReturnType<typeof t1Quality>, name: string) => metrics.find((metric) => metric.name === name);

test('bands are closed, an infinite end stays out of the words, and what is not a number fails', () => {
  const thresholds = { name: 'x', unit: 'mL', formula: '', pass: [8, Infinity], review: [5, Infinity] } as const;
  expect(judge(8, thresholds)).toMatchObject({ verdict: 'pass', pass: 'at least 8 mL', review: 'at least 5 mL' });
  expect(judge(7.9, thresholds).verdict).toBe('review');
  expect(judge(4, thresholds).verdict).toBe('fail');
  expect(judge(Number.NaN, thresholds)).toMatchObject({ verdict: 'fail', value: null });
  expect(worst(['pass', 'review', 'pass'])).toBe('review');
  expect(worst([])).toBe('pass');
  expect(reasonsOf([judge(4, thresholds)])).toEqual(['fail: x is 4 mL, expected at least 8 mL']);
});

test('statistics agree with their definitions', () => {
  const { normal } = random(3);
  const a = Float32Array.from({ length: 500 }, () => 1000 + normal());
  const b = a.map((value, at) => 2 * value + (at % 3));
  const mean = a.reduce((s, v) => s + v, 0) / 500;
  const { sd, count } = statisticsOf(a, () => true);
  expect(count).toBe(500);
  expect(sd).toBeCloseTo(Math.sqrt(a.reduce((s, v) => s + (v - mean) ** 2, 0) / 500), 3);
  expect(correlation(a, b, () => true)).toBeGreaterThan(0.9);
  expect(correlation(a, new Float32Array(500), () => true)).toBe(0);
  expect(diceOf([1, 1, 0, 0], [1, 0, 1, 0])).toBe(0.5);
  expect(softDice([0.5, 1], [0.5, 0])).toBe(0.5);
});

test('SNR is the mean over the SD of white matter: 1 / noise on a phantom, and heavy noise fails', () => {
  for (const noise of [0.04, 0.08]) {
    const { t1, truth } = phantom(noise);
    const metrics = t1Quality({ t1, brain: truth.brain, gm: truth.gm, wm: truth.wm });
    expect(named(metrics, 'mri_snr')?.value).toBeCloseTo(1 / noise, 0);
    expect(named(metrics, 'mri_snr')?.verdict).toBe('pass');
  }
  const { t1, truth } = phantom(0.35);
  expect(named(t1Quality({ t1, brain: truth.brain, gm: truth.gm, wm: truth.wm }), 'mri_snr')?.verdict).toBe('fail');
});

test('brain volume is the mask’s, and a small brain goes to review', () => {
  const { t1, truth } = phantom(0.03);
  const metrics = t1Quality({ t1, brain: truth.brain, gm: truth.gm, wm: truth.wm });
  const voxels = truth.brain.data.reduce((sum, value) => sum + value, 0);
  expect(named(metrics, 'mri_brain_volume_ml')?.value).toBeCloseTo((voxels * 27) / 1000, 1);
  expect(named(metrics, 'mri_brain_volume_ml')?.verdict).toBe('review');
});

test('ghosts beside the head are seen, still heads are clean, and masked air cannot be judged', () => {
  const { t1 } = phantom(0.03);
  expect(assessMotion(t1).artifacts).toBe('none');
  const ghosted = (share: number): Volume => {
    const shift = 22;
    const data = t1.data.map((value, at) => {
      const j = Math.floor(at / n) % n;
      const from = (j + shift) % n;
      return value + share * t1.data[at + (from - j) * n];
    });
    return { ...t1, data };
  };
  expect(assessMotion(ghosted(0.1)).artifacts).toBe('mild');
  expect(assessMotion(ghosted(0.3)).artifacts).toBe('severe');
  const masked: Volume = { ...t1, data: t1.data.map((value, at) => (labels.data[at] === 0 ? 0 : value)) };
  expect(assessMotion(masked)).toEqual({ artifacts: 'not_assessable', metric: null });
});

test('a template in place is good, one shifted by 15 mm fails, folds are seen', () => {
  const { t1, truth } = phantom(0.03);
  const shifted = <T extends { at: (index: number) => number | undefined; length: number }>(data: T): Float32Array =>
    Float32Array.from({ length: data.length }, (_, at) => (at >= 5 ? (data.at(at - 5) ?? 0) : 0));
  const base = { t1, brain: truth.brain, gm: truth.gm };
  const good = registrationQuality({
    ...base,
    template: t1,
    templateBrain: truth.brain.data,
    templateGm: truth.gm.data,
    jacobian: new Float32Array(n ** 3).fill(1),
  });
  expect(good.grade).toBe('good');
  const off = registrationQuality({
    ...base,
    template: { ...t1, data: shifted(t1.data) },
    templateBrain: shifted(truth.brain.data),
    templateGm: shifted(truth.gm.data),
  });
  expect(off.grade).toBe('failed');
  const jacobian = new Float32Array(n ** 3).fill(1);
  jacobian.fill(-0.7, 28 * n * n + 28 * n, 28 * n * n + 28 * n + 40);
  const folded = registrationQuality({
    ...base,
    template: t1,
    templateBrain: truth.brain.data,
    templateGm: truth.gm.data,
    jacobian,
  });
  expect(folded.grade).toBe('failed');
});
