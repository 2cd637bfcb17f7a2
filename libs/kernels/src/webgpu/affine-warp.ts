import type { Kernels } from '../device.ts';
import { affineFunctions, affineParameters, affineValues } from './affine-sampling.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';

const affineWarpKernel = kernel('affineWarp', {
  read: ['image', 'ux', 'uy', 'uz'],
  write: ['output'],
  parameters: affineParameters,
  functions: affineFunctions,
  body: /* wgsl */ `
  output[i] = sampled(transformed(at, vec3f(ux[i], uy[i], uz[i])));`,
});

export const affineWarp =
  (machine: Machine): Kernels['affineWarp'] =>
  (image, imageShape, matrix, u, shape, output, outside = null) => {
    const n = size(shape);
    const buffers = [machine.buffer(image, size(imageShape)), ...machine.buffers(u, n), machine.buffer(output, n)];
    machine.run(affineWarpKernel, shape, buffers, affineValues(matrix, imageShape, outside));
  };
