import type { Shape } from '../device.ts';
import type { Kernel, Values } from './shader.ts';
import { isInside, sampling } from './trilinear.ts';

/**
 * A matrix in two parts, because float32 alone would move points by some 1e-5 voxels, and labels lie on the halves between
 * voxels whenever spacings are round numbers. The coarse part is in steps of 2^-12: its products with whole voxels, and
 * their sums, are exact as long as they stay below 4096. The fine part is the rest.
 */
const COARSE_STEP = 2 ** -12;

/** Parameters of every kernel that samples `image` under a matrix. */
export const affineParameters: Kernel['parameters'] = {
  coarse_x: 'vec4f',
  coarse_y: 'vec4f',
  coarse_z: 'vec4f',
  fine_x: 'vec4f',
  fine_y: 'vec4f',
  fine_z: 'vec4f',
  ix: 'i32',
  iy: 'i32',
  iz: 'i32',
  clamped: 'i32',
  outside: 'f32',
  gain: 'f32',
};

/**
 * `transformed(at, u)`: the matrix times at + u, as whole voxels and the rest. `sampled(q)`: the image there, `outside` beyond
 * it unless clamped.
 */
export const affineFunctions: readonly string[] = [
  ...sampling('image'),
  isInside,
  /* wgsl */ `
struct Point { whole: vec3f, rest: vec3f }
fn transformed(at: vec3i, u: vec3f) -> Point {
  let h = vec4f(vec3f(at), 1);
  let coarse = vec3f(dot(p.coarse_x, h), dot(p.coarse_y, h), dot(p.coarse_z, h));
  let fine = vec3f(dot(p.fine_x, h), dot(p.fine_y, h), dot(p.fine_z, h));
  let linear_x = p.coarse_x.xyz + p.fine_x.xyz;
  let linear_y = p.coarse_y.xyz + p.fine_y.xyz;
  let linear_z = p.coarse_z.xyz + p.fine_z.xyz;
  let displaced = vec3f(dot(linear_x, u), dot(linear_y, u), dot(linear_z, u));
  let whole = floor(coarse);
  return Point(whole, (coarse - whole) + fine + displaced);
}
fn sampled(q: Point) -> f32 {
  let image_shape = vec3i(p.ix, p.iy, p.iz);
  let at = q.whole + q.rest;
  if (p.clamped == 0 && !is_inside(at, image_shape)) { return p.outside; }
  return p.gain * sample_image(at, image_shape);
}`,
];

export function affineValues(m: readonly number[], image: Shape, outside: number | null, gain = 1): Values {
  const coarse = m.map((value) => Math.round(value / COARSE_STEP) * COARSE_STEP);
  const fine = m.map((value, i) => value - coarse[i]);
  return {
    coarse_x: coarse.slice(0, 4),
    coarse_y: coarse.slice(4, 8),
    coarse_z: coarse.slice(8, 12),
    fine_x: fine.slice(0, 4),
    fine_y: fine.slice(4, 8),
    fine_z: fine.slice(8, 12),
    ix: image[0],
    iy: image[1],
    iz: image[2],
    clamped: outside === null ? 1 : 0,
    outside: outside ?? 0,
    gain,
  };
}
