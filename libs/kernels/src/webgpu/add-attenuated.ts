import type { Kernels } from '../device.ts';
import type { Machine } from './machine.ts';
import { kernel } from './shader.ts';

const addAttenuatedKernel = kernel('addAttenuated', {
  read: ['x', 'energy'],
  write: ['y'],
  parameters: { floor: 'f32' },
  body: /* wgsl */ `
  // Chosen and not clamped: an energy of 0 gives 0.
  var share = 0.0;
  if (!(energy[i] <= p.floor)) { share = 1.0 - p.floor / energy[i]; }
  y[i] += share * x[i];`,
});

export const addAttenuated =
  (machine: Machine): Kernels['addAttenuated'] =>
  (x, energy, threshold, y) => {
    const n = y.length;
    const buffers = [machine.buffer(x, n), machine.buffer(energy, n), machine.buffer(y, n)];
    machine.run(addAttenuatedKernel, [n, 1, 1], buffers, { floor: threshold ** 2 });
  };
