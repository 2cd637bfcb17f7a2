import { isEngramError } from '@engram/errors';
import { IDENTITY, type MaskVolume, type Shape3, type Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { chooseFrames } from './choose-frames.ts';
import { computeSuvr } from './compute-suvr.ts';
import { tracerWindow } from './tracer-windows.ts';

const code = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return isEngramError(error) ? error.code : error;
  }
};

const shape: Shape3 = [12, 10, 8];
const size = 12 * 10 * 8;
const image = (value: (at: number) => number): Volume => ({
  shape,
  affine: IDENTITY,
  frames: 1,
  data: Float32Array.from({ length: size }, (_, at) => value(at)),
});
const box = (inside: (x: number, y: number, z: number) => boolean): MaskVolume => ({
  shape,
  affine: IDENTITY,
  data: Uint8Array.from({ length: size }, (_, at) =>
    inside(at % 12, Math.floor(at / 12) % 10, Math.floor(at / 120)) ? 1 : 0,
  ),
});
const cerebellum = box((x, y, z) => x > 2 && x < 8 && y > 2 && y < 8 && z > 1 && z < 6);

test('the mean SUVR inside the eroded reference region is 1, and spill-in at its edge is left out', () => {
  const rim = box((x, y, z) => x > 3 && x < 7 && y > 3 && y < 7 && z > 2 && z < 5);
  // Inside the eroded region 4000 Bq/mL, at its rim and beyond 9000.
  const pet = image((at) => (rim.data[at] === 1 ? 4000 : 9000));
  const { suvr, referenceMean, voxels, coverage } = computeSuvr(pet, cerebellum);
  expect(referenceMean).toBe(4000);
  expect(voxels).toBe(3 * 3 * 2);
  expect(coverage).toBe(1);
  expect(suvr.data[0]).toBe(2.25);
  expect(computeSuvr(pet, cerebellum, { erodeVoxels: 0 }).voxels).toBe(5 * 5 * 4);
});

test('a reference region that is empty, unseen or without uptake is refused by code', () => {
  const pet = image(() => 5);
  expect(
    code(() =>
      computeSuvr(
        pet,
        box(() => false),
      ),
    ),
  ).toBe('SUVR_REFERENCE_EMPTY');
  expect(
    code(() =>
      computeSuvr(
        pet,
        box((x, y, z) => x === 4 && y === 4 && z === 4),
      ),
    ),
  ).toBe('SUVR_REFERENCE_EMPTY');
  expect(
    code(() =>
      computeSuvr(
        image(() => Number.NaN),
        cerebellum,
      ),
    ),
  ).toBe('SUVR_REFERENCE_EMPTY');
  expect(
    code(() =>
      computeSuvr(
        image(() => 0),
        cerebellum,
      ),
    ),
  ).toBe('SUVR_REFERENCE_EMPTY');
  expect(
    code(() =>
      computeSuvr(
        image(() => -1),
        cerebellum,
      ),
    ),
  ).toBe('SUVR_REFERENCE_EMPTY');
  expect(code(() => computeSuvr({ ...pet, affine: [2, ...IDENTITY.slice(1)] }, cerebellum))).toBe('MASK_GRID_MISMATCH');
  expect(code(() => computeSuvr({ ...pet, frames: 2 }, cerebellum))).toBe('IMAGE_NOT_3D');
});

test('a PET that cuts off part of the region is averaged over what it saw and says how much that was', () => {
  const pet = image((at) => (Math.floor(at / 120) === 3 ? Number.NaN : 7));
  const result = computeSuvr(pet, cerebellum);
  expect(result.referenceMean).toBe(7);
  expect(result.coverage).toBe(0.5);
});

test('tracers are known by their common names and never guessed', () => {
  for (const name of ['FDG', '18F-FDG', '[18F]FDG', 'Fludeoxyglucose F^18^', 'fluorodeoxyglucose']) {
    expect(tracerWindow(name)?.window).toEqual([1800, 3600]);
  }
  for (const name of ['florbetapir', 'AV-45', '18FAV45', 'Florbetapir F-18']) {
    expect(tracerWindow(name)?.window).toEqual([3000, 4200]);
  }
  expect(tracerWindow('[11C]PIB')?.window).toEqual([3000, 4200]);
  expect(tracerWindow('flortaucipir')?.window).toEqual([4800, 6000]);
  for (const name of ['', 'unknown', 'F-18', 'water']) expect(tracerWindow(name)).toBeUndefined();
});

const sixFrames = { startsS: [0, 600, 1200, 1800, 2400, 3000], durationsS: [600, 600, 600, 600, 600, 300] };

test('frames whose middle lies in the window are taken, weighted by duration', () => {
  const choice = chooseFrames(6, sixFrames, [1800, 3600]);
  expect(choice.frames).toEqual([3, 4, 5]);
  expect(choice.weights).toEqual([600, 600, 300]);
  expect(choice.windowS).toEqual([1800, 3300]);
  expect(choice.warnings).toEqual([]);
});

test('without frame times or outside the window all frames are taken, with a warning', () => {
  const plain = chooseFrames(6, null, [1800, 3600]);
  expect([plain.frames.length, plain.windowS, plain.warnings.length]).toEqual([6, null, 1]);
  const missed = chooseFrames(6, sixFrames, [5400, 6600]);
  expect([missed.frames.length, missed.warnings.length]).toEqual([6, 1]);
  expect(missed.warnings[0]).toContain('90 to 110 min');
  expect(chooseFrames(1, null).warnings).toEqual([]);
});

test('frame times that do not fit the frames are refused by code', () => {
  expect(code(() => chooseFrames(5, sixFrames))).toBe('PET_TIMING_INVALID');
  expect(code(() => chooseFrames(1, { startsS: [0], durationsS: [0] }))).toBe('PET_TIMING_INVALID');
  expect(code(() => chooseFrames(1, { startsS: [Number.NaN], durationsS: [60] }))).toBe('PET_TIMING_INVALID');
});
