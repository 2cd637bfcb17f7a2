import { IDENTITY, type MaskVolume, type Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { findVentricles } from './find-ventricles.ts';
import { segmentTissue } from './segment-tissue.ts';

const n = 48;
const affine = [3, 0, 0, -72, 0, 3, 0, -72, 0, 0, 3, -72, 0, 0, 0, 1];

/** Deterministic noise of unit standard deviation: twelve uniforms of a small generator. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    let sum = -6;
    for (let k = 0; k < 12; k++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      sum += state / 2 ** 32;
    }
    return sum;
  };
}

/** A ball of white matter with a folded grey rind and a fluid core of `ventricle` mm radius; 0 air, 1 CSF, 2 GM, 3 WM. */
function brain(means: readonly [number, number, number], sd: number, ventricle: number, drift = 0) {
  const truth = new Uint8Array(n ** 3);
  const data = new Float32Array(n ** 3);
  const next = noise(7);
  for (let i = 0; i < truth.length; i++) {
    const [x, y, z] = [i % n, Math.floor(i / n) % n, Math.floor(i / n ** 2)].map((v) => 3 * v - 72) as [
      number,
      number,
      number,
    ];
    const r = Math.hypot(x, y, z);
    const rind = 10 + 5 * Math.sin(x / 6) * Math.sin(y / 6) * Math.sin(z / 6);
    truth[i] = r > 66 ? 0 : r > 66 - rind ? 2 : r < ventricle ? 1 : 3;
    const mean = truth[i] === 0 ? 0 : means[truth[i]! - 1]!;
    data[i] = Math.max(0, mean * Math.exp(drift * Math.sin(x / 50) * Math.cos(y / 60)) + sd * next());
  }
  const image: Volume = { shape: [n, n, n], frames: 1, affine, data };
  const mask: MaskVolume = { shape: [n, n, n], affine, data: truth.map((t) => (t > 0 ? 1 : 0)) };
  return { image, mask, truth };
}

function dice(shares: readonly Volume[], truth: Uint8Array, tissue: number): number {
  let found = 0;
  let real = 0;
  let both = 0;
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === 0) continue;
    const p = shares.map((s) => s.data[i]!);
    const hit = p.indexOf(Math.max(...p)) === tissue - 1;
    if (hit) found++;
    if (truth[i] === tissue) real++;
    if (hit && truth[i] === tissue) both++;
  }
  return (2 * both) / (found + real);
}

test.each([
  ['usual contrast, small ventricles', [30, 75, 110], 6, 12, 0],
  ['usual contrast, huge ventricles', [30, 75, 110], 6, 38, 0],
  ['low contrast of grey and white', [300, 500, 620], 25, 25, 0],
  ['a drift of a fifth left by bias correction', [30, 75, 110], 5, 25, 0.12],
] as const)('tissues are told apart: %s', async (_, means, sd, ventricle, drift) => {
  const { image, mask, truth } = brain(means, sd, ventricle, drift);
  const r = await segmentTissue(image, mask);
  for (const tissue of [1, 2, 3]) expect(dice([r.csf, r.gm, r.wm], truth, tissue)).toBeGreaterThan(0.95);
});

test('means and standard deviations of a known mixture come back', async () => {
  const { image, mask } = brain([30, 75, 110], 6, 30);
  const r = await segmentTissue(image, mask, { fieldSpacing: 0 });
  for (const [k, mean] of [30, 75, 110].entries()) {
    expect(Math.abs(r.means[k]! - mean)).toBeLessThan(1.5);
    expect(Math.abs(Math.sqrt(r.variances[k]!) - 6)).toBeLessThan(1.5);
  }
});

test('the three shares sum to 1 inside the mask and are 0 outside, and come out the same twice', async () => {
  const { image, mask } = brain([30, 75, 110], 8, 20);
  const [a, b] = [await segmentTissue(image, mask), await segmentTissue(image, mask)];
  expect(a.gm.data).toEqual(b.gm.data);
  for (let i = 0; i < mask.data.length; i++) {
    expect(a.csf.data[i]! + a.gm.data[i]! + a.wm.data[i]!).toBeCloseTo(mask.data[i]!, 5);
  }
});

test('an atlas prior moves a voxel whose intensity says nothing', async () => {
  const { image, mask } = brain([30, 75, 110], 6, 20);
  const ones = () => new Float32Array(mask.data.length).fill(1);
  const plain = await segmentTissue(image, mask, { fieldSpacing: 0, beta: 0 });
  const grey = await segmentTissue(image, mask, {
    fieldSpacing: 0,
    beta: 0,
    priors: { gm: ones().fill(0.8), wm: ones().fill(0.1), csf: ones().fill(0.1) },
  });
  const sum = (v: Volume) => v.data.reduce((s, x) => s + x, 0);
  expect(sum(grey.gm)).toBeGreaterThan(sum(plain.gm));
});

test('a constant image, another grid and an empty mask are refused by code', async () => {
  const { image, mask } = brain([30, 75, 110], 6, 20);
  const flat = { ...image, data: new Float32Array(n ** 3).fill(5) };
  await expect(segmentTissue(flat, mask)).rejects.toMatchObject({ code: 'TISSUE_NOT_SEPARABLE' });
  await expect(segmentTissue(image, { ...mask, affine: IDENTITY })).rejects.toMatchObject({
    code: 'MASK_GRID_MISMATCH',
  });
  const none = { ...mask, data: new Uint8Array(n ** 3) };
  await expect(segmentTissue(image, none)).rejects.toMatchObject({ code: 'IMAGE_EMPTY' });
});

test('the ventricle is the deep fluid, not the fluid of a sulcus', async () => {
  const { mask, truth } = brain([30, 75, 110], 0, 15);
  const csf = Float32Array.from(truth, (t) => (t === 1 ? 1 : 0));
  // A sulcus: a sheet of fluid that cuts 15 mm into the brain from the right.
  for (let i = 0; i < csf.length; i++) {
    const x = 3 * (i % n) - 72;
    const y = 3 * (Math.floor(i / n) % n) - 72;
    if (truth[i] !== 0 && Math.abs(y) < 2 && x > 50) csf[i] = 1;
  }
  const found = findVentricles({ shape: mask.shape, frames: 1, affine, data: csf }, mask);
  const real = truth.reduce((s, t) => s + (t === 1 ? 27 : 0), 0);
  expect(found.volume).toBe(real);
  expect(
    findVentricles({ shape: mask.shape, frames: 1, affine, data: csf }, { ...mask, data: new Uint8Array(n ** 3) })
      .volume,
  ).toBe(0);
});
