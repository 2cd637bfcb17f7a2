/**
 * Ghosts in the air around the head. Motion repeats the head along the phase-encoding axis, so air that lies beside the
 * head along one axis is brighter than air in the corners (ghost-to-signal ratio after Giannelli et al., Phys Med Biol
 * 55:3243, 2010; air measures after Mortamet et al., MRM 62:365, 2009).
 */
import type { Shape3, Volume } from '@engram/volume';
import { voxelSize } from '@engram/volume';
import { otsuThreshold } from '../bias/foreground.ts';
import { dilate } from '../morphology/dilate.ts';
import { judge, type QualityMetric } from './metric.ts';

export type MotionArtifacts = 'none' | 'mild' | 'severe' | 'not_assessable';

export interface Motion {
  readonly artifacts: MotionArtifacts;
  /** null where the air was cleaned, cut off or too little. */
  readonly metric: QualityMetric | null;
}

const MARGIN_MM = 10;
const LEAST_VOXELS = 500;
const MILD = 0.025;
const SEVERE = 0.06;

/** @param t1 as it came, neither corrected nor masked. */
export function assessMotion(t1: Volume): Motion {
  const { shape, affine, data } = t1;
  const threshold = otsuThreshold(data);
  const bright = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) bright[at] = data[at] > threshold ? 1 : 0;
  const iterations = Math.max(1, Math.round(MARGIN_MM / Math.min(...voxelSize(affine))));
  const head = dilate({ shape, affine, data: bright }, { iterations }).data;

  const beside = sides(head, shape);
  const corner = { sum: 0, squares: 0, count: 0, zeros: 0 };
  const along = [0, 1, 2].map(() => ({ sum: 0, count: 0 }));
  const inside = { sum: 0, count: 0 };
  for (let at = 0; at < data.length; at++) {
    if (bright[at]) {
      inside.sum += data[at];
      inside.count++;
    }
    if (head[at]) continue;
    if (beside[at] === 0) {
      corner.sum += data[at];
      corner.squares += data[at] ** 2;
      corner.count++;
      if (data[at] === 0) corner.zeros++;
    }
    for (let axis = 0; axis < 3; axis++)
      if (beside[at] === 1 << axis) {
        along[axis].sum += data[at];
        along[axis].count++;
      }
  }
  const mean = corner.sum / corner.count;
  const spread = corner.squares / corner.count - mean ** 2;
  const usable = along.filter(({ count }) => count >= LEAST_VOXELS);
  const cleaned = corner.zeros > 0.9 * corner.count;
  if (corner.count < LEAST_VOXELS || usable.length === 0 || cleaned || !(spread > 0))
    return { artifacts: 'not_assessable', metric: null };
  const brightest = Math.max(...usable.map(({ sum, count }) => sum / count));
  const ratio = Math.max(0, (brightest - mean) / (inside.sum / inside.count));
  const metric = judge(ratio, {
    name: 'motion_ghost_ratio',
    unit: '',
    formula: '(mean of air beside the head along the worst axis - mean of air in the corners) / mean of the head',
    pass: [-Infinity, MILD],
    review: [-Infinity, SEVERE],
  });
  return { artifacts: ratio <= MILD ? 'none' : ratio <= SEVERE ? 'mild' : 'severe', metric };
}

/** Bit a of each voxel: the line through it along axis a meets the head. */
function sides(head: Uint8Array, [nx, ny, nz]: Shape3): Uint8Array {
  const shadow = [new Uint8Array(ny * nz), new Uint8Array(nx * nz), new Uint8Array(nx * ny)];
  const each = (visit: (at: number, lines: readonly [number, number, number]) => void) => {
    for (let k = 0, at = 0; k < nz; k++)
      for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, at++) visit(at, [k * ny + j, k * nx + i, j * nx + i]);
  };
  each((at, lines) => {
    if (head[at]) for (let axis = 0; axis < 3; axis++) shadow[axis][lines[axis]] = 1;
  });
  const out = new Uint8Array(head.length);
  each((at, lines) => {
    for (let axis = 0; axis < 3; axis++) if (shadow[axis][lines[axis]]) out[at] |= 1 << axis;
  });
  return out;
}
