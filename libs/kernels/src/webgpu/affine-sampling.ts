import type { Shape } from '../device.ts';
import type { Kernel, Values } from './shader.ts';
import { isInside, sampling } from './trilinear.ts';

/** Parameters of every kernel that samples `image` under a matrix. */
export const affineParameters: Kernel['parameters'] = {
  mx: 'vec4f',
  my: 'vec4f',
  mz: 'vec4f',
  ix: 'i32',
  iy: 'i32',
  iz: 'i32',
  clamped: 'i32',
  outside: 'f32',
  gain: 'f32',
};

/** `transformed(q)`: the matrix times a point. `sampled(q)`: the image there, `outside` beyond it unless clamped. */
export const affineFunctions: readonly string[] = [
  ...sampling('image'),
  isInside,
  /* wgsl */ `
fn transformed(q: vec3f) -> vec3f { let h = vec4f(q, 1); return vec3f(dot(p.mx, h), dot(p.my, h), dot(p.mz, h)); }
fn sampled(q: vec3f) -> f32 {
  let image_shape = vec3i(p.ix, p.iy, p.iz);
  if (p.clamped == 0 && !is_inside(q, image_shape)) { return p.outside; }
  return p.gain * sample_image(q, image_shape);
}`,
];

export const affineValues = (m: readonly number[], image: Shape, outside: number | null, gain = 1): Values => ({
  mx: m.slice(0, 4),
  my: m.slice(4, 8),
  mz: m.slice(8, 12),
  ix: image[0],
  iy: image[1],
  iz: image[2],
  clamped: outside === null ? 1 : 0,
  outside: outside ?? 0,
  gain,
});
