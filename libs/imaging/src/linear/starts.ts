/** Where a search begins: a spread of poses at the coarsest level, so that a wrong header or a turned head does no harm. */
import { applyAffine, type Vec3 } from '@engram/volume';
import type { Level } from './pyramid.ts';
import type { Samples } from './samples.ts';
import { valueRange } from './value-range.ts';

/** Turns tried about each axis, degrees. A search from any of them reaches about 20° further (docs/algorithms/linear.md). */
const TURNS = [0, -25, 25];
/** Shifts tried along the body, mm: the neck in one image only moves the centre of mass by this much. */
const ALONG_BODY = [0, -30, 30];

/** Centre of mass of what lies above the darkest value, fixed RAS mm, and the typical distance of a sample from it, mm. */
export function centreOfSamples({ count, points, values }: Samples): {
  readonly centre: Vec3;
  readonly radius: number;
} {
  const { low, high } = valueRange(values);
  const sum = [0, 0, 0];
  let weight = 0;
  for (let s = 0; s < count; s++) {
    const w = Math.min(high, Math.max(low, values[s])) - low;
    weight += w;
    for (let k = 0; k < 3; k++) sum[k] += w * points[3 * s + k];
  }
  const centre: Vec3 = [sum[0] / weight, sum[1] / weight, sum[2] / weight];
  let squares = 0;
  for (let s = 0; s < count; s++) {
    const w = Math.min(high, Math.max(low, values[s])) - low;
    for (let k = 0; k < 3; k++) squares += w * (points[3 * s + k] - centre[k]) ** 2;
  }
  return { centre, radius: Math.max(1, Math.sqrt(squares / weight)) };
}

/** RAS mm. */
export function centreOfMass({ shape: [nx, ny, nz], affine, data }: Level): Vec3 {
  const { low, high } = valueRange(data);
  let [x, y, z, weight] = [0, 0, 0, 0];
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const w = Math.min(high, Math.max(low, data[at])) - low;
        x += w * i;
        y += w * j;
        z += w * k;
        weight += w;
      }
  return applyAffine(affine, [x / weight, y / weight, z / weight]);
}

const centreOfView = ({ shape, affine }: Level): Vec3 =>
  applyAffine(affine, [(shape[0] - 1) / 2, (shape[1] - 1) / 2, (shape[2] - 1) / 2]);

/**
 * Rigid parameters (3 shifts in mm, 3 turns in mm at `radius`) to try: as the headers say, centre of mass on centre of mass
 * (also moved along the body), middle of the view on middle of the view; each with every turn.
 */
export function rigidStarts(fixed: Level, moving: Level, centre: Vec3, radius: number): number[][] {
  const mass = centreOfMass(moving);
  const [from, to] = [centreOfView(fixed), centreOfView(moving)];
  const shifts: Vec3[] = [
    [0, 0, 0],
    [to[0] - from[0], to[1] - from[1], to[2] - from[2]],
  ];
  for (const z of ALONG_BODY) shifts.push([mass[0] - centre[0], mass[1] - centre[1], mass[2] - centre[2] + z]);
  const turns = TURNS.map((degrees) => (degrees * Math.PI * radius) / 180);
  const out: number[][] = [];
  for (const shift of shifts)
    for (const x of turns) for (const y of turns) for (const z of turns) out.push([...shift, x, y, z]);
  return out;
}
