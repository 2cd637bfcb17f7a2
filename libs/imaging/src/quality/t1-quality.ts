/** Quality of a T1: signal to noise, contrast and brain volume. docs/algorithms/quality.md gives formulas and thresholds. */
import { type MaskVolume, type Volume, voxelVolume } from '@engram/volume';
import { erode } from '../morphology/erode.ts';
import { judge, type QualityMetric } from './metric.ts';
import { statisticsOf } from './statistics.ts';

export interface T1QualityInput {
  /** Bias-corrected. */
  readonly t1: Volume;
  readonly brain: MaskVolume;
  readonly gm: Volume;
  readonly wm: Volume;
}

/** Voxels this sure are taken as pure. */
const SURE = 0.9;
const LEAST_VOXELS = 200;

export function t1Quality({ t1, brain, gm, wm }: T1QualityInput): readonly QualityMetric[] {
  const { shape, affine } = t1;
  const sureWm = new Uint8Array(wm.data.length);
  for (let at = 0; at < sureWm.length; at++) sureWm[at] = wm.data[at] > SURE ? 1 : 0;
  const eroded = erode({ shape, affine, data: sureWm }).data;
  // Thick voxels may leave nothing after erosion: then the sure voxels themselves are measured.
  const enough = eroded.reduce((n, value) => n + value, 0) >= LEAST_VOXELS;
  const white = statisticsOf(t1.data, (at) => (enough ? eroded : sureWm)[at] > 0);
  const allWhite = statisticsOf(t1.data, (at) => sureWm[at] > 0);
  const grey = statisticsOf(t1.data, (at) => gm.data[at] > SURE);
  const volume = (brain.data.reduce((n, value) => n + (value > 0 ? 1 : 0), 0) * voxelVolume(affine)) / 1000;
  return [
    judge(white.mean / white.sd, {
      name: 'mri_snr',
      unit: '',
      formula: 'mean / SD of the bias-corrected T1 where p(WM) > 0.9, eroded by one voxel',
      pass: [8, Infinity],
      review: [5, Infinity],
    }),
    judge((allWhite.mean - grey.mean) / Math.sqrt((allWhite.sd ** 2 + grey.sd ** 2) / 2), {
      name: 'mri_cnr',
      unit: '',
      formula: '(mean WM - mean GM) / sqrt((var WM + var GM) / 2), voxels with p > 0.9',
      pass: [1.8, Infinity],
      review: [1, Infinity],
    }),
    judge(grey.mean / allWhite.mean, {
      name: 'mri_contrast',
      unit: '',
      formula: 'mean GM / mean WM, voxels with p > 0.9',
      pass: [0.4, 0.92],
      review: [0.3, 0.97],
    }),
    judge(volume, {
      name: 'mri_brain_volume_ml',
      unit: 'mL',
      formula: 'voxels of the brain mask x voxel volume',
      pass: [900, 2000],
      review: [700, 2300],
    }),
  ];
}
