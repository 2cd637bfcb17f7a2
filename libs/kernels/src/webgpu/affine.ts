import type { Kernels } from '../device.ts';
import { affineFunctions, affineParameters, affineValues } from './affine-sampling.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';

export const affineKernel = kernel('affine', {
  read: ['image'],
  write: ['output'],
  parameters: affineParameters,
  functions: affineFunctions,
  body: /* wgsl */ `
  output[i] = sampled(transformed(at, vec3f(0)));`,
});

export const affine =
  (machine: Machine): Kernels['affine'] =>
  (image, imageShape, matrix, shape, output, outside = null) => {
    const buffers = [machine.buffer(image, size(imageShape)), machine.buffer(output, size(shape))];
    machine.run(affineKernel, shape, buffers, affineValues(matrix, imageShape, outside));
  };
