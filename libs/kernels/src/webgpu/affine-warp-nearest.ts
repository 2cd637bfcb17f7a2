import type { Kernels } from '../device.ts';
import { affineFunctions, affineParameters, affineValues } from './affine-sampling.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';

const affineWarpNearestKernel = kernel('affineWarpNearest', {
  read: ['image', 'ux', 'uy', 'uz'],
  write: ['output'],
  parameters: { ...affineParameters, displaced: 'i32' },
  functions: affineFunctions,
  body: /* wgsl */ `
  var u = vec3f(0);
  if (p.displaced == 1) { u = vec3f(ux[i], uy[i], uz[i]); }
  let point = transformed(at, u);
  // Halves round up, also where float32 has lost a millionth: then every GPU takes the same voxel.
  let q = point.whole + floor(point.rest + 0.500001);
  let image_shape = vec3i(p.ix, p.iy, p.iz);
  // Of the rounded point: is_inside would judge it half a voxel too late.
  if (is_nan(q.x + q.y + q.z) || any(q < vec3f(0)) || any(q >= vec3f(image_shape))) {
    output[i] = p.outside;
    return;
  }
  let c = vec3i(q);
  output[i] = image[(c.z * p.iy + c.y) * p.ix + c.x];`,
});

export const affineWarpNearest =
  (machine: Machine): Kernels['affineWarpNearest'] =>
  (image, imageShape, matrix, u, shape, output, outside) => {
    const n = size(shape);
    const from = machine.buffer(image, size(imageShape));
    // Something must be bound where there is no displacement.
    const field = u ? machine.buffers(u, n) : [from, from, from];
    const values = { ...affineValues(matrix, imageShape, outside), displaced: u ? 1 : 0 };
    machine.run(affineWarpNearestKernel, shape, [from, ...field, machine.buffer(output, n)], values);
  };
