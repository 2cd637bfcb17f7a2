/**
 * Which way the voxel axes run: codes such as `RAS` (i to the right, j to anterior, k to superior) or `PSR`. For an
 * oblique image each axis gets the anatomical direction it is closest to.
 */
import { EngramError } from '@engram/errors';
import { linearPart, type Matrix3 } from './affine.ts';
import { nearestOrthogonal } from './polar.ts';
import type { Affine } from './volume.ts';
import { voxelSize } from './voxel-size.ts';

/** For one voxel axis: the world axis it follows (0 x, 1 y, 2 z) and whether upwards (1) or downwards (-1). */
export interface AxisDirection {
  readonly world: 0 | 1 | 2;
  readonly sign: 1 | -1;
}
export type Axes = readonly [AxisDirection, AxisDirection, AxisDirection];

const POSITIVE = 'RAS';
const NEGATIVE = 'LPI';

/**
 * World axis of each voxel axis; no world axis is used twice. Same rule as nibabel's `io_orientation`.
 * @throws IMAGE_GEOMETRY when the affine is singular.
 */
export function axesOf(a: Affine): Axes {
  const m = linearPart(a);
  const [sx, sy, sz] = voxelSize(a);
  if (!(sx > 0 && sy > 0 && sz > 0)) {
    throw new EngramError('IMAGE_GEOMETRY', 'The affine is singular: a voxel axis has no length');
  }
  const unit: Matrix3 = [
    m[0] / sx,
    m[1] / sy,
    m[2] / sz,
    m[3] / sx,
    m[4] / sy,
    m[5] / sz,
    m[6] / sx,
    m[7] / sy,
    m[8] / sz,
  ];
  const r = nearestOrthogonal(unit);
  const size = (world: number, axis: number) => Math.abs(r[world * 3 + axis]);
  const largest = (axis: number) => Math.max(size(0, axis), size(1, axis), size(2, axis));
  // The clearest axis chooses first, so that a 45 degree tilt cannot take another axis's world direction.
  const order = [0, 1, 2].sort((p, q) => largest(q) - largest(p));
  const free = new Set<0 | 1 | 2>([0, 1, 2]);
  const out: AxisDirection[] = [];
  for (const axis of order) {
    let best: 0 | 1 | 2 | undefined;
    for (const world of free) if (best === undefined || size(world, axis) > size(best, axis)) best = world;
    const world = best ?? 0;
    free.delete(world);
    out[axis] = { world, sign: r[world * 3 + axis] < 0 ? -1 : 1 };
  }
  return [out[0], out[1], out[2]];
}

/** Three letters, one a voxel axis: the direction in which its index grows. @throws IMAGE_GEOMETRY when singular. */
export function orientationOf(a: Affine): string {
  return axesOf(a)
    .map(({ world, sign }) => (sign > 0 ? POSITIVE : NEGATIVE)[world])
    .join('');
}

/** The axes of a code such as `LAS`. @throws IMAGE_GEOMETRY when the letters do not name three different axes. */
export function axesOfCode(code: string): Axes {
  const one = (letter: string | undefined): AxisDirection | undefined => {
    for (const world of [0, 1, 2] as const) {
      if (letter === POSITIVE[world]) return { world, sign: 1 };
      if (letter === NEGATIVE[world]) return { world, sign: -1 };
    }
    return undefined;
  };
  const [i, j, k] = [one(code[0]), one(code[1]), one(code[2])];
  if (code.length !== 3 || !i || !j || !k || new Set([i.world, j.world, k.world]).size !== 3) {
    throw new EngramError('IMAGE_GEOMETRY', `'${code}' is not an orientation: use one letter each of R/L, A/P, S/I`);
  }
  return [i, j, k];
}
