/** Rigid motions in RAS mm. */
import { type Affine, applyLinear, IDENTITY, multiplyAffines, type Vec3 } from '@engram/volume';
import type { Random } from './random.ts';

/** Rotation by degrees about x, then y, then z through `centre`, then a shift in mm. */
export function rigid(degrees: Vec3, shift: Vec3, centre: Vec3 = [0, 0, 0]): Affine {
  const [ax, ay, az] = degrees.map((angle) => (angle * Math.PI) / 180);
  const [cx, sx, cy, sy, cz, sz] = [Math.cos(ax), Math.sin(ax), Math.cos(ay), Math.sin(ay), Math.cos(az), Math.sin(az)];
  const x: Affine = [1, 0, 0, 0, 0, cx, -sx, 0, 0, sx, cx, 0, 0, 0, 0, 1];
  const y: Affine = [cy, 0, sy, 0, 0, 1, 0, 0, -sy, 0, cy, 0, 0, 0, 0, 1];
  const z: Affine = [cz, -sz, 0, 0, sz, cz, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const turn = multiplyAffines(z, multiplyAffines(y, x));
  const turned = applyLinear(turn, centre);
  const out = [...turn];
  for (let row = 0; row < 3; row++) out[row * 4 + 3] = centre[row] - turned[row] + shift[row];
  return out;
}

/** A motion with uniform angles within ±degrees and shifts within ±mm; the identity when both are 0. */
export function randomRigid(rng: Random, degrees: number, mm: number, centre: Vec3): Affine {
  if (degrees === 0 && mm === 0) return IDENTITY;
  const draw = (limit: number) => (2 * rng.uniform() - 1) * limit;
  return rigid([draw(degrees), draw(degrees), draw(degrees)], [draw(mm), draw(mm), draw(mm)], centre);
}
