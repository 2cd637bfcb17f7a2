/**
 * Whether a PET lies on its T1 and holds plausible values. The tissue fit asks how much of the uptake the T1's own tissues
 * explain: a PET of another head, fitted as well as a rigid motion can, leaves its cortex beside this one's.
 */
import type { Device } from '@engram/kernels';
import { gridAtSpacing, type MaskVolume, type Volume, voxelSize } from '@engram/volume';
import { boxAround, cropMask, cropVolume } from '../crop.ts';
import { dilate } from '../morphology/dilate.ts';
import { erode } from '../morphology/erode.ts';
import { resample, resampleMask } from '../resample.ts';
import { smoothAxis } from '../smooth-for-step.ts';
import { judge, type QualityMetric } from './metric.ts';
import { statisticsOf } from './statistics.ts';

export interface PetQualityInput {
  /** On the grid of the T1; 0 beyond the field of view. */
  readonly suvr: Volume;
  /** Where the PET was measured. */
  readonly fov: MaskVolume;
  readonly brain: MaskVolume;
  readonly gm: Volume;
  readonly wm: Volume;
  readonly csf: Volume;
  readonly normalisedMutualInformation: number;
}

/** Point spread that scanners of a clinic share, mm full width at half maximum. */
const PSF_MM = 7;
/** The fit looks this far beyond the brain: its edge tells most about a wrong head. */
const SHELL_MM = 8;
const GRID_MM = 3;

/** @param device resamples on its kernels; without it the plain version computes the same. */
export async function petQuality(input: PetQualityInput, device?: Device): Promise<readonly QualityMetric[]> {
  const { suvr, fov, brain } = input;
  const inside = (at: number): boolean => brain.data[at] > 0 && fov.data[at] > 0;
  const { mean, sd } = statisticsOf(suvr.data, inside);
  const seen = statisticsOf(fov.data, (at) => brain.data[at] > 0).mean;
  const { explained, edge } = tissueFit(await coarser(around(input), device));
  return [
    judge(mean, {
      name: 'pet_mean_suvr',
      unit: 'SUVR',
      formula: 'mean SUVR inside the brain mask',
      pass: [0.5, 2.5],
      review: [0.3, 3.5],
    }),
    judge(sd, {
      name: 'pet_std_suvr',
      unit: 'SUVR',
      formula: 'SD of the SUVR inside the brain mask',
      pass: [0.05, 0.8],
      review: [0.02, 1.2],
    }),
    judge(100 * seen, {
      name: 'pet_brain_coverage_percent',
      unit: '%',
      formula: 'share of the brain mask inside the field of view of the PET',
      pass: [98, 100],
      review: [85, 100],
    }),
    judge(explained, {
      name: 'pet_t1_tissue_fit',
      unit: '',
      formula: 'R² of the SUVR on GM, WM, CSF and a constant, each blurred by 7 mm, over the brain and 8 mm around it',
      pass: [0.8, 1],
      review: [0.75, 1],
    }),
    judge(edge, {
      name: 'pet_t1_edge_contrast',
      unit: '',
      formula:
        '(mean SUVR in the outermost 4 mm of the brain - mean SUVR 4 to 8 mm outside it) / mean SUVR in the brain',
      pass: [0.3, Infinity],
      review: [0.2, Infinity],
    }),
  ];
}

/** What the fit sees: the brain, the shell around it and what is blurred into that. */
function around(input: PetQualityInput): PetQualityInput {
  const { suvr, fov, brain, gm, wm, csf } = input;
  const box = boxAround(brain, SHELL_MM + 2 * PSF_MM);
  return {
    ...input,
    suvr: cropVolume(suvr, box),
    fov: cropMask(fov, box),
    brain: cropMask(brain, box),
    gm: cropVolume(gm, box),
    wm: cropVolume(wm, box),
    csf: cropVolume(csf, box),
  };
}

/** Uptake has no detail below 3 mm: on that grid the fit costs little, whatever the T1's voxels. */
async function coarser(input: PetQualityInput, device?: Device): Promise<PetQualityInput> {
  const { suvr, fov, brain, gm, wm, csf } = input;
  if (Math.min(...voxelSize(suvr.affine)) >= GRID_MM) return input;
  const grid = gridAtSpacing(suvr, GRID_MM);
  return {
    ...input,
    suvr: await resample(suvr, grid, {}, device),
    fov: await resampleMask(fov, grid, {}, device),
    brain: await resampleMask(brain, grid, {}, device),
    gm: await resample(gm, grid, {}, device),
    wm: await resample(wm, grid, {}, device),
    csf: await resample(csf, grid, {}, device),
  };
}

const blurred = ({ data, shape, affine }: Volume): Float32Array =>
  voxelSize(affine).reduce((out, mm, axis) => smoothAxis(out, shape, axis, PSF_MM / 2.3548 / mm), data);

function tissueFit({ suvr, fov, brain, gm, wm, csf }: PetQualityInput): { explained: number; edge: number } {
  const size = voxelSize(suvr.affine);
  const finest = Math.min(...size);
  const steps = (mm: number) => Math.max(1, Math.round(mm / finest));
  const wide = dilate(brain, { iterations: steps(SHELL_MM) }).data;
  const near = dilate(brain, { iterations: steps(SHELL_MM / 2) }).data;
  const core = erode(brain, { iterations: steps(SHELL_MM / 2) }).data;
  const predictors = [gm, wm, csf].map(blurred);
  const used = (at: number): boolean => wide[at] > 0 && fov.data[at] > 0;
  const explained = rSquared(suvr.data, predictors, used);
  const all = statisticsOf(suvr.data, (at) => brain.data[at] > 0 && fov.data[at] > 0).mean;
  const rim = statisticsOf(suvr.data, (at) => brain.data[at] > 0 && core[at] === 0 && fov.data[at] > 0).mean;
  const around = statisticsOf(suvr.data, (at) => wide[at] > 0 && near[at] === 0 && fov.data[at] > 0).mean;
  return { explained, edge: (rim - around) / all };
}

/** Share of the variance that least squares on the predictors and a constant explain. */
export function rSquared(
  values: ArrayLike<number>,
  predictors: readonly ArrayLike<number>[],
  used: (at: number) => boolean,
): number {
  const n = predictors.length + 1;
  const normal = Array.from({ length: n }, () => new Float64Array(n + 1));
  let [total, squares, count] = [0, 0, 0];
  const row = new Float64Array(n);
  for (let at = 0; at < values.length; at++) {
    if (!used(at)) continue;
    row[0] = 1;
    for (let k = 1; k < n; k++) row[k] = predictors[k - 1][at];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) normal[i][j] += row[i] * row[j];
      normal[i][n] += row[i] * values[at];
    }
    total += values[at];
    squares += values[at] ** 2;
    count++;
  }
  const variance = squares - total ** 2 / count;
  if (count <= n || !(variance > 0)) return 0;
  const right = normal.map((line) => line[n]);
  const weights = solve(normal);
  // Σ ŷ y = wᵀXᵀy, and Σ (y - ŷ)² = Σ y² - Σ ŷ y at the least-squares solution.
  const fitted = weights.reduce((sum, weight, k) => sum + weight * right[k], 0);
  return 1 - (squares - fitted) / variance;
}

/** Gauss and Jordan with a small ridge, so that a tissue that is nowhere costs nothing. */
function solve(system: readonly Float64Array[]): number[] {
  const a = system.map((line) => Float64Array.from(line));
  const n = a.length;
  for (let k = 0; k < n; k++) a[k][k] += 1e-9 * (a[0][0] + a[k][k]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i][k]) > Math.abs(a[pivot][k])) pivot = i;
    [a[k], a[pivot]] = [a[pivot], a[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = a[i][k] / a[k][k];
      for (let j = k; j <= n; j++) a[i][j] -= factor * a[k][j];
    }
  }
  return a.map((line, k) => line[n] / line[k]);
}
