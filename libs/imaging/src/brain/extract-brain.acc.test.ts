/** Brain extraction on heads painted on label maps, with exact truth, and on real heads, with plausibility. */
import { readNifti } from '@engram/formats';
import { hasSharedData, rigid, sharedData, type T1Options } from '@engram/testing';
import { multiplyAffines, type Volume, voxelVolume } from '@engram/volume';
import { beforeAll, describe, expect, test } from 'vitest';
import { correctBias } from '../bias/correct-bias.ts';
import { diceOf, loadTemplate, phantomOf, templateFolder } from './accuracy.fixture.ts';
import { extractBrain } from './extract-brain.ts';
import type { BrainTemplate } from './prepare-template.ts';

const folder = templateFolder();

describe.skipIf(!hasSharedData || folder === undefined)('with label maps, real heads and Colin27', () => {
  let template: BrainTemplate;
  beforeAll(async () => {
    template = await loadTemplate(folder ?? '');
  });

  const reached: number[] = [];
  const usual: T1Options = { contrast: 't1', noise: 0.03, biasSd: 0.1 };
  const low: T1Options = { contrast: 't1-low', noise: 0.03, biasSd: 0.1 };
  const noisy: T1Options = { contrast: 't1', noise: 0.07, biasSd: 0.2 };
  for (const [map, name, options] of [
    ['03', 'usual contrast', usual],
    ['05', 'low contrast, advanced atrophy', low],
    ['07', 'noise', noisy],
    ['11', 'advanced atrophy', usual],
    ['13', 'low contrast', low],
    ['03', '2 mm voxels', { ...usual, voxelMm: 2 }],
    ['07', '3.5 mm voxels', { ...usual, voxelMm: 3.5 }],
  ] as const) {
    test(`map ${map}, ${name}`, async () => {
      const { t1, truth } = await phantomOf(map, { ...options, seed: Number(map) });
      const { corrected } = await correctBias(t1);
      const found = await extractBrain(corrected, template);
      const dice = diceOf(found.mask, truth.brain);
      console.info(`map ${map}, ${name}: Dice ${dice.toFixed(4)}, confidence ${found.confidence.toFixed(2)}`);
      if (options.voxelMm === undefined) reached.push(dice);
      expect(dice).toBeGreaterThan(options.voxelMm === undefined ? 0.975 : 0.94);
      expect(found.confidence).toBeGreaterThan(0.5);
    });
  }

  test('the mean over the five maps at 1 mm is above 0.985', () => {
    expect(reached).toHaveLength(5);
    expect(reached.reduce((a, b) => a + b, 0) / reached.length).toBeGreaterThan(0.985);
  });

  test('a head turned by 45 degrees and shifted by 80 mm is found as well', async () => {
    const { t1, truth } = await phantomOf('07', { ...usual, voxelMm: 2 });
    const { corrected } = await correctBias(t1);
    const affine = multiplyAffines(rigid([0, 0, 45], [80, -30, 40], [0, 0, 0]), corrected.affine);
    const found = await extractBrain({ ...corrected, affine }, template);
    const dice = diceOf(found.mask, { ...truth.brain, affine });
    console.info(`turned 45 degrees, shifted 98 mm: Dice ${dice.toFixed(4)}`);
    expect(dice).toBeGreaterThan(0.94);
  });

  test('a field of view that cuts the top of the head is said, and the rest is found', async () => {
    const { t1, truth } = await phantomOf('13', { ...usual, voxelMm: 2 });
    const { corrected } = await correctBias(t1);
    const [nx, ny, nz] = t1.shape;
    // Axes of the maps run L, I, A: the second axis leads down, and its start holds the top of the brain.
    let top = ny;
    for (let i = 0; i < truth.brain.data.length; i++) {
      if (truth.brain.data[i]) top = Math.min(top, Math.floor(i / nx) % ny);
    }
    const cut = top + 12;
    const height = ny - cut;
    const crop = <T extends Float32Array | Uint8Array>(data: T, out: T): T => {
      for (let z = 0; z < nz; z++) out.set(data.subarray((z * ny + cut) * nx, (z + 1) * ny * nx), z * height * nx);
      return out;
    };
    const affine = multiplyAffines(t1.affine, [1, 0, 0, 0, 0, 1, 0, cut, 0, 0, 1, 0, 0, 0, 0, 1]);
    const shape = [nx, height, nz] as const;
    const count = nx * height * nz;
    const image: Volume = { shape, affine, frames: 1, data: crop(corrected.data, new Float32Array(count)) };
    const found = await extractBrain(image, template);
    const dice = diceOf(found.mask, { shape, affine, data: crop(truth.brain.data, new Uint8Array(count)) });
    console.info(`24 mm of the brain cut off: Dice ${dice.toFixed(4)}, ${found.warnings.join('; ')}`);
    expect(dice).toBeGreaterThan(0.95);
    expect(found.warnings.join()).toContain('field of view');
  });

  for (const [file, least, most] of [
    ['studyforrest_T1_1p5mm.nii.gz', 1150, 1500],
    ['fnndsc_adi_T1_1p5mm.nii.gz', 1150, 1550],
    ['IXI015-HH-1258_T1.nii.gz', 1150, 1550],
    ['hippodeep_T1_1p75mm.nii.gz', 1150, 1550],
  ] as const) {
    test(`the real head ${file} has a brain of ${least} to ${most} mL`, async () => {
      const { volume } = await readNifti(sharedData('t1', file));
      const { corrected } = await correctBias(volume);
      const { mask, confidence, warnings } = await extractBrain(corrected, template);
      const ml = (mask.data.reduce((a, b) => a + b, 0) * voxelVolume(mask.affine)) / 1000;
      console.info(`${file}: ${ml.toFixed(0)} mL, confidence ${confidence.toFixed(2)} ${warnings.join('; ')}`);
      expect(ml).toBeGreaterThan(least);
      expect(ml).toBeLessThan(most);
      expect(confidence).toBeGreaterThan(0.6);
    });
  }
});
