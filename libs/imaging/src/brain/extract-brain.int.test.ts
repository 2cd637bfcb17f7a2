import { type Affine, applyAffine, invertAffine, type MaskVolume, type Shape3, type Volume } from '@engram/volume';
import { beforeAll, expect, test } from 'vitest';
import { extractBrain } from './extract-brain.ts';
import { type BrainTemplate, prepareTemplate } from './prepare-template.ts';

/** A small generator, so that noise is the same on every run. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Tissue of a made-up head at a point in MNI-like RAS mm: 0 air, 1 skull, 2 scalp, 3 fluid, 4 ventricle, 5 grey, 6 white. */
function tissueAt([x, y, z]: readonly [number, number, number]): number {
  const r = Math.hypot(x / 66, (y + 18) / 82, (z - 12) / 62);
  const neck = Math.hypot(x / 45, (y + 30) / 50) < 1 && z < -30;
  if (r > 1.28) return neck && z > -90 ? 2 : 0;
  if (r > 1.18) return 2;
  if (r > 1.08) return 1;
  const fold = 0.03 * Math.sin(x / 6) * Math.sin(y / 7) * Math.sin(z / 6);
  if (r + fold > 1) return 3;
  const horn = Math.hypot((Math.abs(x) - 12) / 9, (y + 10) / 32, (z - 17) / 9);
  if (horn < 1 || Math.hypot(x / 3, (y + 14) / 12, (z - 4) / 10) < 1) return 4;
  return r + 3 * fold > 0.85 ? 5 : 6;
}

const brightness = [0, 8, 90, 28, 25, 74, 108];

function head(shape: Shape3, affine: Affine, pose: Affine, seed: number, scale = 1) {
  const next = uniforms(seed);
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  const brain = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const voxel = [i % shape[0], Math.floor(i / shape[0]) % shape[1], Math.floor(i / (shape[0] * shape[1]))] as const;
    const tissue = tissueAt(applyAffine(pose, applyAffine(affine, voxel)));
    brain[i] = tissue >= 4 ? 1 : 0;
    data[i] = scale * Math.max(0, brightness[tissue]! + 12 * (next() + next() - 1));
  }
  return { t1: { shape, frames: 1, affine, data } satisfies Volume, brain: { shape, affine, data: brain } };
}

const dice = (a: MaskVolume, b: MaskVolume) => {
  let both = 0;
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    both += a.data[i]! & b.data[i]!;
    sum += a.data[i]! + b.data[i]!;
  }
  return (2 * both) / sum;
};

const still: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const atlasGrid: Affine = [3, 0, 0, -93, 0, 3, 0, -126, 0, 0, 3, -84, 0, 0, 0, 1];
const atlasShape: Shape3 = [63, 74, 62];
let template: BrainTemplate;
let atlasBrain: MaskVolume;

beforeAll(async () => {
  const atlas = head(atlasShape, atlasGrid, still, 1);
  atlasBrain = atlas.brain;
  // A rough mask that keeps the fluid around the brain, as the published one does.
  const rough = head(atlasShape, atlasGrid, still, 1);
  const data = Uint8Array.from(rough.t1.data, (_, i) => {
    const voxel = [i % 63, Math.floor(i / 63) % 74, Math.floor(i / (63 * 74))] as const;
    return tissueAt(applyAffine(atlasGrid, voxel)) >= 3 ? 1 : 0;
  });
  template = await prepareTemplate(atlas.t1, { ...atlas.brain, data });
});

test('preparing a template takes the fluid of the surface away and keeps the ventricles', () => {
  const rough = template.surroundings.data.reduce((a, b) => a + b, 0);
  expect(template.brain.data.reduce((a, b) => a + b, 0)).toBeLessThan(0.9 * rough);
  expect(dice(template.brain, atlasBrain)).toBeGreaterThan(0.97);
  expect(template.ventricles.data.reduce((a, b) => a + b, 0) * 0.027).toBeGreaterThan(10);
});

const turn = (20 * Math.PI) / 180;
const moved: Affine = [
  1.05 * Math.cos(turn),
  -Math.sin(turn),
  0,
  12,
  Math.sin(turn),
  0.95 * Math.cos(turn),
  0,
  -25,
  0,
  0,
  1.06,
  18,
  0,
  0,
  0,
  1,
];

test.each([
  ['in its own pose', [3, 0, 0, -93, 0, 3, 0, -126, 0, 0, 3, -90, 0, 0, 0, 1], [63, 74, 64], still, 1],
  [
    'turned 20 degrees, shifted and of another size',
    [3, 0, 0, -93, 0, 3, 0, -110, 0, 0, 3, -110, 0, 0, 0, 1],
    [63, 78, 68],
    moved,
    1,
  ],
  [
    'with axes P, S, R, 3.5 mm slices and intensities a thousand times smaller',
    [0, 0, 3.5, -95, -3, 0, 0, 100, 0, 3, 0, -96, 0, 0, 0, 1],
    [76, 64, 55],
    still,
    0.001,
  ],
] as const)('the brain is found %s', async (_, affine, shape, pose, scale) => {
  const { t1, brain } = head(shape, affine, pose, 5, scale);
  const result = await extractBrain(t1, template);
  expect(dice(result.mask, brain)).toBeGreaterThan(0.94);
  expect(result.confidence).toBeGreaterThan(0.5);
  expect(result.mask.affine).toEqual(t1.affine);
  // The transform takes the centre of the head to where it lies in the template.
  const centre = [0, -18, 12] as const;
  const back = applyAffine(result.toTemplate, applyAffine(invertAffine(pose), centre));
  expect(Math.hypot(back[0] - centre[0], back[1] - centre[1], back[2] - centre[2])).toBeLessThan(4);
});

test('the same head gives the same mask twice', async () => {
  const { t1 } = head([63, 74, 64], atlasGrid, still, 9);
  const [a, b] = [await extractBrain(t1, template), await extractBrain(t1, template)];
  expect(a.mask.data).toEqual(b.mask.data);
  expect(a.toTemplate).toEqual(b.toTemplate);
});

test('a ball, noise and an empty image are no heads', async () => {
  const next = uniforms(3);
  const make = (value: (r: number) => number): Volume => ({
    shape: [50, 50, 50],
    frames: 1,
    affine: [4, 0, 0, -100, 0, 4, 0, -100, 0, 0, 4, -100, 0, 0, 0, 1],
    data: Float32Array.from({ length: 125000 }, (_, i) =>
      value(4 * Math.hypot((i % 50) - 25, (Math.floor(i / 50) % 50) - 25, Math.floor(i / 2500) - 25)),
    ),
  });
  for (const image of [make((r) => (r < 80 ? 100 : 0) + 5 * next()), make(() => next()), make(() => 0)]) {
    await expect(extractBrain(image, template)).rejects.toMatchObject({ code: 'NOT_A_HEAD' });
  }
  await expect(extractBrain({ ...make(next), frames: 2 }, template)).rejects.toMatchObject({ code: 'IMAGE_NOT_3D' });
});
