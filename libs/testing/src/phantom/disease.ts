/**
 * How the synthetic patient declines. Severity runs from 0 (none) to 1. Not fitted to any person: the pattern (medial
 * temporal shrinkage, growing ventricles, posterior cingulate and temporo-parietal loss of uptake) is the textbook's, the
 * numbers are ours.
 */
import { AAL_93, regionIndex } from '@engram/contracts';
import type { LabelVolume, Vec3 } from '@engram/volume';
import { applyAffine } from '@engram/volume';
import { addSource, type VectorField } from './diffeomorphism.ts';

/** Regions that shrink: spread in mm and rate of the source at severity 1, in the map patient → template. */
const SHRINK: readonly (readonly [region: string, sigma: number, rate: number])[] = [
  ['Hippocampus', 13, 0.15],
  ['ParaHippocampal', 13, 0.07],
  ['Amygdala', 10, 0.06],
  ['Temporal_Mid', 20, 0.035],
  ['Temporal_Inf', 18, 0.035],
  ['Precuneus', 18, 0.03],
];

/** Lateral ventricles: body, frontal horn and atrium of the right side in template RAS mm, mirrored to the left. */
const VENTRICLES: readonly Vec3[] = [
  [15, -16, 21],
  [13, 18, 11],
  [24, -42, 14],
];
const VENTRICLE_SIGMA = 14;
const VENTRICLE_RATE = -0.16;

/** Loss of uptake at severity 1, by region name without its side. */
const DECLINE: Readonly<Record<string, number>> = {
  Cingulum_Post: 0.34,
  Precuneus: 0.3,
  Angular: 0.3,
  Parietal_Inf: 0.26,
  Temporal_Mid: 0.26,
  Temporal_Inf: 0.26,
  Hippocampus: 0.22,
  ParaHippocampal: 0.2,
  SupraMarginal: 0.18,
  Parietal_Sup: 0.18,
  Fusiform: 0.16,
  Frontal_Mid: 0.12,
  Cingulum_Ant: 0.08,
};

export function addAtrophy(velocity: VectorField, labels: LabelVolume, severity: number): void {
  for (const [name, sigma, rate] of SHRINK)
    for (const side of ['L', 'R'])
      addSource(velocity, centroid(labels, regionIndex(`${name}_${side}`)), sigma, rate * severity);
  for (const [x, y, z] of VENTRICLES)
    for (const sign of [1, -1]) addSource(velocity, [sign * x, y, z], VENTRICLE_SIGMA, VENTRICLE_RATE * severity);
}

/** Relative grey matter uptake of each of the 93 regions. */
export function regionalUptake(severity: number): readonly number[] {
  return AAL_93.regions.map(({ name }) => 1 - severity * (DECLINE[name.replace(/_[LR]$/, '')] ?? 0.02));
}

function centroid(labels: LabelVolume, region: number): Vec3 {
  const wanted = new Set(AAL_93.regions[region].labels);
  const [nx, ny] = labels.shape;
  const sum = [0, 0, 0];
  let count = 0;
  labels.data.forEach((label, at) => {
    if (!wanted.has(label)) return;
    sum[0] += at % nx;
    sum[1] += Math.floor(at / nx) % ny;
    sum[2] += Math.floor(at / (nx * ny));
    count++;
  });
  return applyAffine(labels.affine, [sum[0] / count, sum[1] / count, sum[2] / count]);
}
