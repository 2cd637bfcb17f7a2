import type { Kernels } from '../device.ts';
import type { Machine } from './machine.ts';
import { kernel } from './shader.ts';

const squaredNormKernel = kernel('squaredNorm', {
  read: ['ux', 'uy', 'uz'],
  write: ['output'],
  body: /* wgsl */ `
  output[i] = ux[i] * ux[i] + uy[i] * uy[i] + uz[i] * uz[i];`,
});

export const squaredNorm =
  (machine: Machine): Kernels['squaredNorm'] =>
  (u, length, output) =>
    machine.run(squaredNormKernel, [length, 1, 1], [...machine.buffers(u, length), machine.buffer(output, length)]);
