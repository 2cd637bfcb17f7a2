/**
 * The slow intensity drift that bias correction left: fitted to log(observed / expected from the tissues) by a B-spline,
 * inside the expectation-maximisation loop (Van Leemput et al. 1999, section II-B; the spline is the one N4 uses).
 */
import type { Volume } from '@engram/volume';
import { voxelSize } from '@engram/volume';
import { axisWeights, evaluateLattice, fitLattice, type GridWeights, planFit } from '../bias/spline-lattice.ts';
import type { MaskGraph } from './neighbours.ts';
import type { TissueModel } from './partial-volume.ts';

/** Holds the log field of each listed voxel; `update` improves it. */
export interface ResidualField {
  readonly log: Float32Array;
  /** Fits what the tissue shares do not explain. `shares`: three a listed voxel; `values`: the observed intensities. */
  update(values: Float32Array, shares: Float32Array, model: TissueModel): void;
}

const blockMillimetres = 4;

/** `spacing`: spline cell in mm. The spline spans the bounding box of the listed voxels. */
export function residualField(image: Volume, graph: MaskGraph, spacing: number): ResidualField {
  const [nx, ny] = image.shape;
  const { voxels } = graph;
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = [0, 0, 0];
  const coordinates = (i: number) => [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))] as const;
  for (const i of voxels) {
    const at = coordinates(i);
    for (let a = 0; a < 3; a++) {
      low[a] = Math.min(low[a]!, at[a]!);
      high[a] = Math.max(high[a]!, at[a]!);
    }
  }
  const size = voxelSize(image.affine);
  const axes = [0, 1, 2].map((a) => {
    const count = high[a]! - low[a]! + 1;
    const factor = Math.min(Math.max(1, Math.round(blockMillimetres / size[a]!)), count);
    const cells = Math.max(1, Math.round((count * size[a]!) / spacing));
    return { count, factor, cells, blocks: Math.ceil(count / factor) };
  });
  const [ax, ay, az] = axes as [(typeof axes)[0], (typeof axes)[0], (typeof axes)[0]];
  const weightsOf = (a: (typeof axes)[0], n: number, step: number) =>
    axisWeights(n, (0.5 * step) / a.count, step / a.count, a.cells);
  const coarse: GridWeights = [
    weightsOf(ax, ax.blocks, ax.factor),
    weightsOf(ay, ay.blocks, ay.factor),
    weightsOf(az, az.blocks, az.factor),
  ];
  const fine: GridWeights = [weightsOf(ax, ax.count, 1), weightsOf(ay, ay.count, 1), weightsOf(az, az.count, 1)];
  const block = new Uint32Array(voxels.length);
  const place = new Uint32Array(voxels.length);
  for (let n = 0; n < voxels.length; n++) {
    const [x, y, z] = coordinates(voxels[n]!);
    const [u, v, w] = [x - low[0]!, y - low[1]!, z - low[2]!];
    place[n] = (w * ay.count + v) * ax.count + u;
    block[n] =
      (Math.floor(w / az.factor) * ay.blocks + Math.floor(v / ay.factor)) * ax.blocks + Math.floor(u / ax.factor);
  }
  const log = new Float32Array(voxels.length);
  const box = new Float32Array(ax.count * ay.count * az.count);

  const update = (values: Float32Array, shares: Float32Array, model: TissueModel): void => {
    const [c, g, w] = model.means;
    const [vc, vg, vw] = model.variances;
    const sums = new Float64Array(ax.blocks * ay.blocks * az.blocks);
    const confidence = new Float64Array(sums.length);
    for (let n = 0; n < voxels.length; n++) {
      const value = values[n]!;
      if (!(value > 0)) continue;
      const [pc, pg, pw] = [shares[3 * n]!, shares[3 * n + 1]!, shares[3 * n + 2]!];
      const expected = pc * c + pg * g + pw * w;
      if (!(expected > 0)) continue;
      const rest = Math.log(value / expected) - log[n]!;
      // A vessel or a wrongly classed voxel must not bend the field.
      if (Math.abs(rest) > 0.35) continue;
      const precision = (expected * expected) / (pc * vc + pg * vg + pw * vw);
      sums[block[n]!]! += precision * rest;
      confidence[block[n]!]! += precision;
    }
    for (let b = 0; b < sums.length; b++) if (confidence[b]! > 0) sums[b]! /= confidence[b]!;
    evaluateLattice(fitLattice(planFit(coarse, confidence), sums), fine, box);
    let mean = 0;
    for (let n = 0; n < voxels.length; n++) {
      log[n]! += box[place[n]!]!;
      mean += log[n]!;
    }
    mean /= voxels.length;
    for (let n = 0; n < voxels.length; n++) log[n]! -= mean;
  };
  return { log, update };
}
