import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';
import { sampling } from './trilinear.ts';

const warpKernel = kernel('warp', {
  read: ['image', 'ux', 'uy', 'uz'],
  write: ['output'],
  functions: sampling('image'),
  body: /* wgsl */ `
  output[i] = sample_image(vec3f(at) + vec3f(ux[i], uy[i], uz[i]), n);`,
});

export const warp =
  (machine: Machine): Kernels['warp'] =>
  (image, u, shape, output) => {
    const n = size(shape);
    machine.run(warpKernel, shape, [machine.buffer(image, n), ...machine.buffers(u, n), machine.buffer(output, n)]);
  };
