import type { Kernels } from '../device.ts';
import type { Machine } from './machine.ts';
import { recordMaxNorm } from './max-norm.ts';
import { kernel } from './shader.ts';
import { isNan } from './trilinear.ts';

/** One component: updates both moments and writes the direction D. `c1`, `c2` are the bias corrections. */
const directionKernel = kernel('adamDirection', {
  read: ['gradient'],
  write: ['m', 'v', 'direction'],
  parameters: { beta1: 'f32', rest1: 'f32', beta2: 'f32', rest2: 'f32', c1: 'f32', c2: 'f32', epsilon: 'f32' },
  body: /* wgsl */ `
  let g = gradient[i];
  let first = p.beta1 * m[i] + p.rest1 * g;
  let second = p.beta2 * v[i] + p.rest2 * (g * g);
  m[i] = first;
  v[i] = second;
  direction[i] = (p.c1 * first) / (sqrt(p.c2 * second) + p.epsilon);`,
});

/** D to the step. The largest |D| stays on the device, so that an iteration need not wait for it. */
const boundKernel = kernel('adamBound', {
  write: ['direction'],
  atomic: ['most'],
  parameters: { limit: 'f32' },
  functions: [isNan],
  body: /* wgsl */ `
  let norm = bitcast<f32>(atomicLoad(&most[0]));
  var largest = max(1.0, sqrt(norm));
  if (is_nan(norm)) { largest = norm; }
  direction[i] *= p.limit / largest;`,
});

export const adam =
  (machine: Machine): Kernels['adam'] =>
  async (gradient, m, v, iteration, { beta1, beta2, epsilon, limit }, step) => {
    const n = step[0].length;
    const [g, first, second] = [machine.buffers(gradient, n), machine.buffers(m, n), machine.buffers(v, n)];
    const directions = machine.buffers(step, n);
    const c1 = 1 / (1 - beta1 ** iteration);
    const c2 = 1 / (1 - beta2 ** iteration);
    const values = { beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, c1, c2, epsilon };
    for (let k = 0; k < 3; k++)
      machine.run(directionKernel, [n, 1, 1], [g[k], first[k], second[k], directions[k]], values);
    machine.temporaries(1, 1, ([most]) => {
      recordMaxNorm(machine, directions, n, most);
      for (const direction of directions) machine.run(boundKernel, [n, 1, 1], [direction, most], { limit });
    });
  };
