import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';
import { isInside, sampling } from './trilinear.ts';

const samplePointsKernel = kernel('samplePoints', {
  read: ['image', 'points'],
  write: ['output'],
  parameters: { ix: 'i32', iy: 'i32', iz: 'i32', clamped: 'i32', outside: 'f32' },
  functions: [...sampling('image'), isInside],
  body: /* wgsl */ `
  let q = vec3f(points[i], points[i + p.count], points[i + 2 * p.count]);
  let image_shape = vec3i(p.ix, p.iy, p.iz);
  if (p.clamped == 0 && !is_inside(q, image_shape)) {
    output[i] = p.outside;
    return;
  }
  output[i] = sample_image(q, image_shape);`,
});

export const samplePoints =
  (machine: Machine): Kernels['samplePoints'] =>
  (image, shape, points, output, outside = null) => {
    const count = Math.floor(points.length / 3);
    const buffers = [
      machine.buffer(image, size(shape)),
      machine.buffer(points, 3 * count),
      machine.buffer(output, count),
    ];
    machine.run(samplePointsKernel, [count, 1, 1], buffers, {
      ix: shape[0],
      iy: shape[1],
      iz: shape[2],
      clamped: outside === null ? 1 : 0,
      outside: outside ?? 0,
    });
  };
