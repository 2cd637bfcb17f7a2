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

/** Means of air need no finer sampling. */
const COARSEST_MM = 2.2;

/** @param t1 as it came, neither corrected nor masked. */
export function assessMotion(t1: Volume): Motion {
  const { shape, affine, data } = thinned(t1);
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

/** Every second or further voxel along the axes that are finer than needed: not averaged, so that noise stays what it is. */
function thinned({ shape, affine: a, data }: Volume): Pick<Volume, 'shape' | 'affine' | 'data'> {
  const [sx, sy, sz] = voxelSize(a).map((mm) => Math.max(1, Math.floor(COARSEST_MM / mm)));
  const to: Shape3 = [Math.ceil(shape[0] / sx), Math.ceil(shape[1] / sy), Math.ceil(shape[2] / sz)];
  const out = new Float32Array(to[0] * to[1] * to[2]);
  for (let k = 0, at = 0; k < to[2]; k++)
    for (let j = 0; j < to[1]; j++)
      for (let i = 0, from = (k * sz * shape[1] + j * sy) * shape[0]; i < to[0]; i++, at++, from += sx)
        out[at] = data[from];
  const column = (row: number) => [a[row] * sx, a[row + 1] * sy, a[row + 2] * sz, a[row + 3]];
  return { shape: to, affine: [...column(0), ...column(4), ...column(8), 0, 0, 0, 1], data: out };
}

/** Bit a of each voxel: the line through it along axis a meets the head. */
function sides(head: Uint8Array, [nx, ny, nz]: Shape3): Uint8Array {
  const [alongX, alongY, alongZ] = [new Uint8Array(ny * nz), new Uint8Array(nx * nz), new Uint8Array(nx * ny)];
  const each = (visit: (at: number, x: number, y: number, z: number) => void) => {
    for (let k = 0, at = 0; k < nz; k++)
      for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, at++) visit(at, k * ny + j, k * nx + i, j * nx + i);
  };
  each((at, x, y, z) => {
    if (head[at] === 0) return;
    alongX[x] = 1;
    alongY[y] = 1;
    alongZ[z] = 1;
  });
  const out = new Uint8Array(head.length);
  each((at, x, y, z) => {
    out[at] = alongX[x] | (alongY[y] << 1) | (alongZ[z] << 2);
  });
  return out;
}
