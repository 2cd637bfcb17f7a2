import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';
import { sampling } from './trilinear.ts';

/** One component: all three at once would bind nine buffers where eight are promised. */
const composeKernel = kernel('compose', {
  read: ['ax', 'ay', 'az', 'a', 'b'],
  write: ['output'],
  functions: sampling('b'),
  body: /* wgsl */ `
  output[i] = a[i] + sample_b(vec3f(at) + vec3f(ax[i], ay[i], az[i]), n);`,
});

export const compose =
  (machine: Machine): Kernels['compose'] =>
  (a, b, shape, output) => {
    const n = size(shape);
    const [from, by, to] = [machine.buffers(a, n), machine.buffers(b, n), machine.buffers(output, n)];
    for (let k = 0; k < 3; k++) machine.run(composeKernel, shape, [...from, from[k], by[k], to[k]]);
  };
