/**
 * Real uptake: the mean FDG-PET of 116 adults in MNI space, with the Centiloid regions. By its own header the cortex is 1.514
 * times the whole cerebellum. No T1 fits this mean rigidly (docs/algorithms/pet.md); the pipeline's own test keeps it where its
 * header places it. What is tested here is the way of a frame: moved, noisy, brought back, averaged and divided.
 */
import { readMask, readNifti } from '@engram/formats';
import { hasSharedData, random, rigid, sharedData } from '@engram/testing';
import { invertAffine, type MaskVolume, multiplyAffines, type Volume } from '@engram/volume';
import { describe, expect, test } from 'vitest';
import { registerRigid } from '../linear/register-linear.ts';
import { resample } from '../resample.ts';
import { averageFrames } from './average-frames.ts';
import { computeSuvr } from './compute-suvr.ts';

describe.skipIf(!hasSharedData)('with the FDG template', () => {
  const load = async () => ({
    pet: (await readNifti(sharedData('pet', 'template', 'CN_PET_TEMPLATE.nii.gz'))).volume,
    cortex: (await readMask(sharedData('atlas', 'centiloid', 'voi_ctx_2mm.nii.gz'))).mask,
    cerebellum: (await readMask(sharedData('atlas', 'centiloid', 'voi_WhlCbl_2mm.nii.gz'))).mask,
  });
  const ratio = (pet: Volume, cortex: MaskVolume, cerebellum: MaskVolume) => {
    const { suvr } = computeSuvr(pet, cerebellum, { erodeVoxels: 0 });
    const inside = suvr.data.filter((v, at) => cortex.data[at] > 0 && Number.isFinite(v));
    return inside.reduce((a, b) => a + b, 0) / inside.length;
  };
  const noisy = (pet: Volume, seed: number): Volume => {
    const rng = random(seed);
    return { ...pet, data: pet.data.map((v) => Math.max(0, v + 0.15 * Math.sqrt(Math.max(0, v)) * rng.normal())) };
  };

  test('cortex over whole cerebellum is 1.514 by the header', async () => {
    const { pet, cortex, cerebellum } = await load();
    expect(ratio(await resample(pet, cortex, { outside: Number.NaN }), cortex, cerebellum)).toBeCloseTo(1.514, 3);
  });

  for (const [degrees, mm] of [
    [
      [8, 0, 0],
      [0, 12, 0],
    ],
    [
      [-6, 5, 20],
      [15, -10, 12],
    ],
    [
      [0, 30, 0],
      [0, 0, 30],
    ],
  ] as const) {
    test(`it is 1.514 within 1 % after a turn of ${degrees.join(', ')} degrees and a shift of ${mm.join(', ')} mm`, async () => {
      const { pet, cortex, cerebellum } = await load();
      const motion = rigid(degrees, mm, [0, -20, 10]);
      const moved = { ...noisy(pet, 5), affine: multiplyAffines(motion, pet.affine) };
      const { matrix } = await registerRigid(noisy(pet, 6), moved);
      const back = await resample(moved, cortex, { matrix, outside: Number.NaN });
      const value = ratio(back, cortex, cerebellum);
      console.info(`${degrees.join(' ')} deg, ${mm.join(' ')} mm: cortex / cerebellum ${value.toFixed(4)}`);
      expect(Math.abs(value / 1.514 - 1)).toBeLessThan(0.01);
    });
  }

  test('a series whose head moves between frames gives 1.514 within 1 %, where the plain mean does not', async () => {
    const { pet, cortex, cerebellum } = await load();
    const poses = [rigid([0, 0, 0], [0, 0, 0]), rigid([9, 0, 4], [3, 6, -8]), rigid([7, 3, 2], [2, 8, -10])];
    const size = pet.data.length;
    const data = new Float32Array(3 * size);
    for (const [frame, matrix] of poses.entries()) {
      // The frame's voxel shows what lies where the head was.
      const shown = await resample(noisy(pet, frame + 1), pet, { matrix });
      data.set(shown.data, frame * size);
    }
    const series: Volume = { ...pet, frames: 3, data };
    const found = await averageFrames(series, { startsS: [1800, 2400, 3000], durationsS: [600, 600, 600] });
    const onRegions = async (image: Volume) =>
      ratio(await resample(image, cortex, { outside: Number.NaN }), cortex, cerebellum);
    // Frame 1 is at rest: its pose leads from the mean back to the header's space.
    const aligned = await resample(found.mean, cortex, { matrix: invertAffine(found.motion[0]), outside: Number.NaN });
    const value = ratio(aligned, cortex, cerebellum);
    const plain: Volume = {
      ...pet,
      data: pet.data.map((_, at) => (data[at] + data[at + size] + data[at + 2 * size]) / 3),
    };
    const blurred = await onRegions(plain);
    console.info(`realigned ${value.toFixed(4)}, plain mean ${blurred.toFixed(4)}`);
    expect(Math.abs(value / 1.514 - 1)).toBeLessThan(0.01);
    expect(Math.abs(blurred / 1.514 - 1)).toBeGreaterThan(0.02);
  });
});
