/**
 * The parameters of a linear transform: x' = base · (Rz Ry Rx K D (x − c) + c + t), with R rotations, K a unit upper
 * triangular shear and D scales along the axes of the fixed image's world.
 *
 * Every parameter is in mm: an angle, log scale or shear is multiplied by `radius`, the typical distance of a sample from
 * the centre c, so that a step of 1 moves points by about 1 mm whichever parameter takes it. Without this common unit a
 * quasi-Newton search starts badly scaled.
 */
import { type Affine, affineOf, type Matrix3, multiply3, multiplyAffines, type Vec3 } from '@engram/volume';

/** 6 rigid; 7 with one common scale; 9 with three; 12 with shears too. */
export type DegreesOfFreedom = 6 | 7 | 9 | 12;

export interface LinearModel {
  readonly dof: DegreesOfFreedom;
  /** Centre of rotation and scaling, fixed RAS mm. */
  readonly centre: Vec3;
  /** mm. */
  readonly radius: number;
  /** Applied last. */
  readonly base: Affine;
}

/** Scales stay between 1/1.6 and 1.6, shears within ±0.4: no head is further from another. */
const SCALE_LIMIT = Math.log(1.6);
const SHEAR_LIMIT = 0.4;

const bounded = (value: number, limit: number) => limit * Math.tanh(value / limit);
const boundedSlope = (value: number, limit: number) => 1 - Math.tanh(value / limit) ** 2;

/** Parameters in their own units: mm, radians, log scales, shears; always 12. */
function spread(model: LinearModel, p: ArrayLike<number>): number[] {
  const out = new Array<number>(12).fill(0);
  for (let k = 0; k < 6; k++) out[k] = k < 3 ? p[k] : p[k] / model.radius;
  if (model.dof === 7) out[6] = out[7] = out[8] = p[6] / model.radius;
  if (model.dof > 7) for (let k = 6; k < model.dof; k++) out[k] = p[k] / model.radius;
  return out;
}

/** A matrix that is 0 but for one entry. */
function single(index: number, value: number): Matrix3 {
  const e = (n: number) => (n === index ? value : 0);
  return [e(0), e(1), e(2), e(3), e(4), e(5), e(6), e(7), e(8)];
}

/** Where the parameters 3 … 11 sit: the factor, counted from the left. */
const FACTOR_OF = [2, 1, 0, 4, 4, 4, 3, 3, 3];
const SHEAR_ENTRY = [1, 2, 5];

function factorsOf(v: readonly number[]): readonly Matrix3[] {
  const [cx, cy, cz] = [Math.cos(v[3]), Math.cos(v[4]), Math.cos(v[5])];
  const [sx, sy, sz] = [Math.sin(v[3]), Math.sin(v[4]), Math.sin(v[5])];
  const scale = (k: number) => Math.exp(bounded(v[k], SCALE_LIMIT));
  const shear = (k: number) => bounded(v[k], SHEAR_LIMIT);
  return [
    [cz, -sz, 0, sz, cz, 0, 0, 0, 1],
    [cy, 0, sy, 0, 1, 0, -sy, 0, cy],
    [1, 0, 0, 0, cx, -sx, 0, sx, cx],
    [1, shear(9), shear(10), 0, 1, shear(11), 0, 0, 1],
    [scale(6), 0, 0, 0, scale(7), 0, 0, 0, scale(8)],
  ];
}

/** Derivative of the factor that holds parameter k ≥ 3. */
function factorSlope(v: readonly number[], k: number): Matrix3 {
  const [c, s] = [Math.cos(v[k]), Math.sin(v[k])];
  if (k === 3) return [0, 0, 0, 0, -s, -c, 0, c, -s];
  if (k === 4) return [-s, 0, c, 0, 0, 0, -c, 0, -s];
  if (k === 5) return [-s, -c, 0, c, -s, 0, 0, 0, 0];
  if (k < 9) {
    const slope = Math.exp(bounded(v[k], SCALE_LIMIT)) * boundedSlope(v[k], SCALE_LIMIT);
    return single((k - 6) * 4, slope);
  }
  return single(SHEAR_ENTRY[k - 9], boundedSlope(v[k], SHEAR_LIMIT));
}

const product = (matrices: readonly Matrix3[]) => matrices.reduce(multiply3);

function around(linear: Matrix3, [x, y, z]: Vec3, shift: readonly [number, number, number]): Affine {
  const turned = (row: number) => linear[row] * x + linear[row + 1] * y + linear[row + 2] * z;
  return affineOf(linear, [x - turned(0) + shift[0], y - turned(3) + shift[1], z - turned(6) + shift[2]]);
}

/** Fixed RAS mm → moving RAS mm. */
export function matrixOf(model: LinearModel, p: ArrayLike<number>): Affine {
  const v = spread(model, p);
  return multiplyAffines(model.base, around(product(factorsOf(v)), model.centre, [v[0], v[1], v[2]]));
}

/**
 * Turns the gradient by the 12 entries of the matrix (3x4 row-major, acting on fixed RAS mm) into that by the parameters.
 */
export function parameterGradient(model: LinearModel, p: ArrayLike<number>, entries: ArrayLike<number>): Float64Array {
  const v = spread(model, p);
  const factors = factorsOf(v);
  const b = model.base;
  const [cx, cy, cz] = model.centre;
  const out = new Float64Array(model.dof);
  for (let k = 0; k < 12; k++) {
    let sum = 0;
    if (k < 3) {
      for (let row = 0; row < 3; row++) sum += entries[row * 4 + 3] * b[row * 4 + k];
      out[k] = sum;
      continue;
    }
    if (k >= model.dof && !(model.dof === 7 && k < 9)) break;
    const slope = product(factors.map((f, n) => (n === FACTOR_OF[k - 3] ? factorSlope(v, k) : f)));
    for (let row = 0; row < 3; row++) {
      let shift = 0;
      for (let column = 0; column < 3; column++) {
        let m = 0;
        for (let n = 0; n < 3; n++) m += b[row * 4 + n] * slope[n * 3 + column];
        sum += entries[row * 4 + column] * m;
        shift -= m * [cx, cy, cz][column];
      }
      sum += entries[row * 4 + 3] * shift;
    }
    out[model.dof === 7 && k > 6 ? 6 : k] += sum / model.radius;
  }
  return out;
}
