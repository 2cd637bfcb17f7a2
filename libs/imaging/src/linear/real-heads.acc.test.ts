/** Real heads to each other and to a template, from turned and shifted headers. docs/algorithms/linear.md quotes more pairs. */
import { readNifti } from '@engram/formats';
import { hasSharedData, random, randomRigid, sharedData } from '@engram/testing';
import {
  type Affine,
  applyAffine,
  determinant,
  invertAffine,
  multiplyAffines,
  type Vec3,
  type Volume,
} from '@engram/volume';
import { describe, expect, test } from 'vitest';
import { resample } from '../resample.ts';
import { registerAffine } from './register-linear.ts';

const FILES = {
  template: ['atlas', 'mni', 'MNI152_T1_2mm.nii.gz'],
  defaced: ['t1', 'studyforrest_T1_1p5mm.nii.gz'],
  adult: ['t1', 'fnndsc_adi_T1_1p5mm.nii.gz'],
  coarse: ['t1', 'IXI015-HH-1258_T1.nii.gz'],
  cropped: ['t1', 'hippodeep_T1_1p75mm.nii.gz'],
} as const;

const load = async (name: keyof typeof FILES) => (await readNifti(sharedData(...FILES[name]))).volume;

/** Points spread over the middle of the image, where a head is. */
function middle({ shape, affine }: Volume): Vec3[] {
  const steps = [0.3, 0.4, 0.5, 0.6, 0.7];
  return steps.flatMap((z) =>
    steps.flatMap((y) => steps.map((x) => applyAffine(affine, [x * shape[0], y * shape[1], z * shape[2]]))),
  );
}

function distance(a: Affine, b: Affine, points: readonly Vec3[]): number {
  let sum = 0;
  for (const p of points) {
    const [q, r] = [applyAffine(a, p), applyAffine(b, p)];
    sum += Math.hypot(q[0] - r[0], q[1] - r[1], q[2] - r[2]);
  }
  return sum / points.length;
}

/** Over the voxels that both images show. */
function correlation(a: Float32Array, b: Float32Array): number {
  let [n, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    if (!(a[i] > 0 && b[i] > 0)) continue;
    n++;
    x += a[i];
    y += b[i];
    xx += a[i] * a[i];
    yy += b[i] * b[i];
    xy += a[i] * b[i];
  }
  return (xy / n - (x / n) * (y / n)) / Math.sqrt((xx / n - (x / n) ** 2) * (yy / n - (y / n) ** 2));
}

describe.skipIf(!hasSharedData)('with real heads', () => {
  for (const [from, to, least, mostMm] of [
    ['template', 'defaced', 0.7, 0.3],
    ['template', 'adult', 0.85, 0.3],
    ['template', 'coarse', 0.8, 0.3],
    ['template', 'cropped', 0.8, 0.3],
    ['adult', 'template', 0.85, 0.6],
    ['coarse', 'cropped', 0.6, 2],
    ['cropped', 'adult', 0.6, 2],
  ] as const)
    test(`${from} to ${to}: alike, never flipped, and the same from any pose within 30 degrees and 30 mm`, async () => {
      const [fixed, moving] = [await load(from), await load(to)];
      const straight = await registerAffine(fixed, moving);
      const shown = await resample(moving, fixed, { matrix: straight.matrix });
      const likeness = correlation(fixed.data, shown.data);
      const size = determinant(straight.matrix);
      expect(likeness).toBeGreaterThan(least);
      expect(size).toBeGreaterThan(0.6);
      expect(size).toBeLessThan(1.6);

      const rng = random(7);
      const { shape } = moving;
      const centre = applyAffine(moving.affine, [shape[0] / 2, shape[1] / 2, shape[2] / 2]);
      const off: number[] = [];
      for (let n = 0; n < 2; n++) {
        const motion = randomRigid(rng, 30, 30, centre);
        const moved = { ...moving, affine: multiplyAffines(motion, moving.affine) };
        const found = await registerAffine(fixed, moved);
        off.push(distance(multiplyAffines(invertAffine(motion), found.matrix), straight.matrix, middle(fixed)));
      }
      console.info(
        `${from} to ${to}: r ${likeness.toFixed(3)}, size ${size.toFixed(3)}, off ${off.map((v) => v.toFixed(2)).join(', ')} mm`,
      );
      for (const mm of off) expect(mm).toBeLessThan(mostMm);
    });
});
