import { catalogue, isEngramError } from '@engram/errors';
import { determinant, IDENTITY, invertAffine, type Shape3 } from '@engram/volume';
import { expect, test } from 'vitest';
import { meanDistance, paintHead, pose } from './ellipsoids.fixture.ts';
import { registerAffine, registerLinear, registerRigid } from './register-linear.ts';

const shape: Shape3 = [48, 56, 50];
const straight = [4, 0, 0, -94, 0, 4, 0, -110, 0, 0, 4, -98, 0, 0, 0, 1];
/** Axes P, S, R with 5 x 4 x 4.5 mm voxels. */
const turnedShape: Shape3 = [46, 52, 46];
const turned = [0, 0, 4.5, -101, -5, 0, 0, 112, 0, 4, 0, -102, 0, 0, 0, 1];
/** Enough for 4 mm voxels, and quick. */
const samples = 25_000;
/** A tenth of a voxel. */
const close = 0.5;
const t1 = paintHead(shape, straight, IDENTITY, 't1');

const code = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isEngramError(error) ? error.code : error;
};

test('a head of another contrast is found from 30 degrees and 30 mm away', async () => {
  for (const [degrees, shift] of [
    [
      [30, 0, 0],
      [0, 0, 30],
    ],
    [
      [-20, 25, 10],
      [20, -15, 10],
    ],
    [
      [10, -5, -30],
      [-30, 0, 0],
    ],
  ] as const) {
    const truth = pose(degrees, shift);
    const pet = paintHead(turnedShape, turned, truth, 'pet');
    const found = await registerRigid(t1, pet, { samples });
    expect(meanDistance(found.matrix, truth)).toBeLessThan(close);
    expect(Math.abs(determinant(found.matrix) - 1)).toBeLessThan(1e-9);
    expect(found.converged).toBe(true);
    expect(found.quality).toBeGreaterThan(0.3);
  }
});

test('a header that is wrong by 150 mm does no harm', async () => {
  const truth = pose([4, -3, 8], [120, -70, 50]);
  const moved = [...turned];
  moved[3] += 120;
  moved[7] -= 70;
  moved[11] += 50;
  const pet = paintHead(turnedShape, moved, truth, 'pet');
  expect(meanDistance((await registerRigid(t1, pet, { samples })).matrix, truth)).toBeLessThan(close);
});

test('an affine with scales and shears is recovered, and three scales by 9 degrees of freedom', async () => {
  const scaled = pose([8, -6, 12], [10, 5, -8], [1.12, 0.9, 1.06]);
  const other = paintHead([56, 60, 54], [4, 0, 0, -110, 0, 4, 0, -118, 0, 0, 4, -106, 0, 0, 0, 1], scaled, 't1');
  expect(meanDistance((await registerLinear(t1, other, { dof: 9, samples })).matrix, scaled)).toBeLessThan(close);
  const sheared = [...scaled];
  sheared[1] += 0.08;
  sheared[6] -= 0.05;
  const oblique = paintHead([56, 60, 54], [4, 0, 0, -110, 0, 4, 0, -118, 0, 0, 4, -106, 0, 0, 0, 1], sheared, 't1');
  expect(meanDistance((await registerAffine(t1, oblique, { samples })).matrix, sheared)).toBeLessThan(close);
});

test('the same seed gives the same matrix to the last bit, and another seed one nearby', async () => {
  const pet = paintHead(turnedShape, turned, pose([5, 5, 5], [5, 5, 5]), 'pet');
  const [a, b, c] = [
    await registerRigid(t1, pet, { samples }),
    await registerRigid(t1, pet, { samples }),
    await registerRigid(t1, pet, { seed: 2, samples }),
  ];
  expect(a.matrix).toEqual(b.matrix);
  expect(c.matrix).not.toEqual(a.matrix);
  expect(meanDistance(a.matrix, c.matrix)).toBeLessThan(close);
});

test('masks on either side are followed, and a mask of the moving image alone gives the same direction of matrix', async () => {
  const truth = pose([6, -4, 9], [7, -5, 4]);
  const pet = paintHead(turnedShape, turned, truth, 'pet');
  const fixedMask = { shape, affine: straight, data: Uint8Array.from(t1.data, (v) => (v > 15 ? 1 : 0)) };
  const movingMask = { shape: turnedShape, affine: turned, data: Uint8Array.from(pet.data, (v) => (v > 0.05 ? 1 : 0)) };
  for (const masks of [{ fixedMask }, { movingMask }, { fixedMask, movingMask }]) {
    expect(meanDistance((await registerRigid(t1, pet, { ...masks, samples })).matrix, truth)).toBeLessThan(close);
  }
});

test('an initial matrix is refined, from the fixed image to the moving one', async () => {
  const truth = pose([40, -35, 50], [60, 40, -30]);
  const pet = paintHead([70, 70, 70], [4, 0, 0, -80, 0, 4, 0, -100, 0, 0, 4, -160, 0, 0, 0, 1], truth, 'pet');
  const initial = pose([44, -32, 47], [57, 44, -26]);
  expect(meanDistance((await registerRigid(t1, pet, { initial, samples })).matrix, truth)).toBeLessThan(close);
  const back = await registerRigid(pet, t1, { initial: invertAffine(initial), samples });
  expect(meanDistance(invertAffine(back.matrix), truth)).toBeLessThan(2 * close);
});

test('voxels that are not numbers count as nothing', async () => {
  const truth = pose([3, 2, -4], [4, 0, 2]);
  const pet = paintHead(turnedShape, turned, truth, 'pet');
  for (let at = 0; at < pet.data.length; at++) if (pet.data[at] < 0.01) pet.data[at] = Number.NaN;
  expect(meanDistance((await registerRigid(t1, pet, { samples })).matrix, truth)).toBeLessThan(close);
});

test('several frames, a constant image, an empty mask and images that share nothing are refused by code', async () => {
  const series = { ...t1, frames: 2, data: new Float32Array(2 * t1.data.length) };
  expect(await code(registerRigid(series, t1))).toBe('IMAGE_NOT_3D');
  const flat = { ...t1, data: new Float32Array(t1.data.length).fill(7) };
  expect(await code(registerRigid(t1, flat))).toBe('IMAGE_EMPTY');
  const fixedMask = { shape, affine: straight, data: new Uint8Array(t1.data.length) };
  expect(await code(registerRigid(t1, t1, { fixedMask }))).toBe('IMAGE_EMPTY');
  const far = [1, 0, 0, 900, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  expect(await code(registerRigid(t1, t1, { initial: far }))).toBe('REGISTRATION_FAILED');
  expect(catalogue.REGISTRATION_FAILED.retryable).toBe(false);
});

test('an abort stops the search with its reason', async () => {
  const stop = new AbortController();
  stop.abort(new Error('cancelled by the test'));
  await expect(registerRigid(t1, t1, { signal: stop.signal })).rejects.toThrow('cancelled by the test');
});

test('progress rises to 1', async () => {
  const seen: number[] = [];
  await registerRigid(t1, t1, { samples, onProgress: (fraction) => seen.push(fraction) });
  expect(seen.at(-1)).toBeCloseTo(1);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
});
