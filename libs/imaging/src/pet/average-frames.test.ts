import { isEngramError } from '@engram/errors';
import { type Affine, IDENTITY, type Shape3, type Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { meanDistance, paintHead, pose } from '../linear/ellipsoids.fixture.ts';
import { randomNumbers } from '../linear/random-numbers.ts';
import { averageFrames } from './average-frames.ts';

const shape: Shape3 = [42, 48, 44];
const affine = [4.5, 0, 0, -92, 0, 4.5, 0, -106, 0, 0, 4.5, -97, 0, 0, 0, 1];
const still = paintHead(shape, affine, IDENTITY, 'pet');

/** Frames of the head in the given poses, each with its own level and noise. */
function series(poses: readonly Affine[], levels: readonly number[], noise = 0.15): Volume {
  const random = randomNumbers(11);
  const data = new Float32Array(still.data.length * poses.length);
  poses.forEach((matrix, frame) => {
    const { data: head } = paintHead(shape, affine, matrix, 'pet');
    for (let i = 0; i < head.length; i++) {
      const error = (random() + random() + random() - 1.5) * 2 * noise;
      data[frame * head.length + i] = levels[frame] * Math.max(0, head[i] + error * Math.sqrt(head[i]));
    }
  });
  return { shape, affine, frames: poses.length, data };
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: unknown) => (isEngramError(error) ? error.code : error),
  );

/** Root mean square difference from the head at rest, over its voxels. */
function error(mean: Volume, level: number): number {
  let squares = 0;
  let count = 0;
  for (let i = 0; i < still.data.length; i++) {
    if (still.data[i] < 0.05) continue;
    squares += (mean.data[i] / level - still.data[i]) ** 2;
    count++;
  }
  return Math.sqrt(squares / count);
}

test('moved frames are found to half a millimetre and their mean is sharper than the plain one', async () => {
  const poses = [IDENTITY, pose([2, 0, 3], [1, 3, -2]), pose([-3, 2, 0], [0, -4, 3]), pose([0, 4, -4], [3, 0, 1])];
  // The first frame has the most counts: the others are brought to it.
  const pet = series(poses, [1.2, 1, 1, 1]);
  const timing = { startsS: [1800, 2100, 2400, 2700], durationsS: [300, 300, 300, 300] };
  const found = await averageFrames(pet, timing, { tracerWindowS: [1800, 3600] });
  expect(found.frames).toBe(4);
  expect(found.windowS).toEqual([1800, 3000]);
  expect(found.warnings).toEqual([]);
  for (const [n, matrix] of found.motion.entries()) expect(meanDistance(matrix, poses[n])).toBeLessThan(0.5);
  expect(found.motionMm[0]).toBeLessThan(0.5);
  for (const mm of found.motionMm.slice(1)) expect(mm).toBeGreaterThan(3);
  const plain = new Float32Array(still.data.length);
  for (let i = 0; i < pet.data.length; i++) plain[i % plain.length] += pet.data[i] / 4;
  expect(error(found.mean, 1.05)).toBeLessThan(0.75 * error({ ...still, data: plain }, 1.05));
});

test('a mean is weighted by duration and leaves out frames beyond the window', async () => {
  const pet = series([IDENTITY, IDENTITY, IDENTITY], [100, 1, 2], 0);
  const timing = { startsS: [0, 1800, 2100], durationsS: [1800, 300, 900] };
  const found = await averageFrames(pet, timing, { tracerWindowS: [1800, 3600] });
  expect(found.usedFrames).toEqual([1, 2]);
  expect(error(found.mean, (300 * 1 + 900 * 2) / 1200)).toBeLessThan(0.01);
});

test('a frame with hardly any counts is placed like its neighbour and named', async () => {
  const moved = pose([0, 0, 6], [5, 0, 0]);
  const pet = series([IDENTITY, moved, moved], [1.5, 1, 0.01]);
  const timing = { startsS: [0, 300, 600], durationsS: [300, 300, 300] };
  const found = await averageFrames(pet, timing, { tracerWindowS: [0, 900] });
  expect(found.motion[2]).toEqual(found.motion[1]);
  expect(found.warnings).toEqual(['Frame 3 shows too little to be aligned: placed like the nearest frame']);
});

test('a single image comes back as it is', async () => {
  const found = await averageFrames(still, null);
  expect(found.mean.data).toEqual(still.data);
  expect([found.motionMm, found.warnings]).toEqual([[0], []]);
});

test('a frame that is not all numbers is refused by its number, unless the window leaves it out', async () => {
  const pet = series([IDENTITY, IDENTITY], [1, 1], 0);
  pet.data[5] = Number.NaN;
  expect(await refusal(averageFrames(pet, null))).toBe('PET_FRAME_INVALID');
  await expect(averageFrames(pet, null)).rejects.toThrow('Frame 1');
  const timing = { startsS: [0, 1800], durationsS: [1800, 600] };
  expect((await averageFrames(pet, timing, { tracerWindowS: [1800, 3600] })).usedFrames).toEqual([1]);
});

test('a series without counts is refused by code', async () => {
  expect(await refusal(averageFrames({ ...still, data: new Float32Array(still.data.length) }, null))).toBe(
    'IMAGE_EMPTY',
  );
});
