import type { Kernels } from '../device.ts';
import type { Machine } from './machine.ts';
import { kernel } from './shader.ts';

const axpbyKernel = kernel('axpby', {
  read: ['x'],
  write: ['y'],
  parameters: { alpha: 'f32', beta: 'f32' },
  body: /* wgsl */ `
  // Not 0 * y: what y held may be no number.
  var kept = 0.0;
  if (p.beta != 0.0) { kept = p.beta * y[i]; }
  y[i] = p.alpha * x[i] + kept;`,
});

/** y = gain*y: WebGPU binds no buffer for reading and writing at once. */
const scaleKernel = kernel('scale', {
  write: ['y'],
  parameters: { gain: 'f32' },
  body: /* wgsl */ `
  y[i] *= p.gain;`,
});

export const axpby =
  (machine: Machine): Kernels['axpby'] =>
  (alpha, x, beta, y) => {
    const n = y.length;
    const [from, to] = [machine.buffer(x, n), machine.buffer(y, n)];
    if (from === to) machine.run(scaleKernel, [n, 1, 1], [to], { gain: alpha + beta });
    else machine.run(axpbyKernel, [n, 1, 1], [from, to], { alpha, beta });
  };
