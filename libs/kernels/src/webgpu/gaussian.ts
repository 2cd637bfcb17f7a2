/// <reference types="@webgpu/types" />
import type { Kernels, Shape } from '../device.ts';
import { gaussianWeights } from '../gaussian-weights.ts';
import { axisParameters, axisValues, onLine } from './along-axis.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';

const gaussianKernel = kernel('gaussian', {
  read: ['input', 'weights'],
  write: ['output'],
  parameters: axisParameters,
  body: /* wgsl */ `${onLine}
  var sum = weights[0] * input[i];
  for (var k = 1; k <= p.radius; k++) {
    let before = input[start + max(c - k, 0) * p.stride];
    let after = input[start + min(c + k, p.length - 1) * p.stride];
    sum += weights[k] * (before + after);
  }
  output[i] = sum;`,
});

export const gaussian =
  (machine: Machine): Kernels['gaussian'] =>
  (input, shape, sigma, output) => {
    const n = size(shape);
    gaussianVolume(machine, machine.buffer(input, n), shape, sigma, machine.buffer(output, n));
  };

/** One axis after the other through temporary volumes, so in place is allowed. */
export function gaussianVolume(
  machine: Machine,
  input: GPUBuffer,
  shape: Shape,
  sigma: readonly [number, number, number],
  output: GPUBuffer,
): void {
  const n = size(shape);
  const axes = [0, 1, 2].filter((axis) => sigma[axis] > 0);
  machine.temporaries(2, n, (between) => {
    let from = input;
    for (const [pass, axis] of axes.entries()) {
      const last = pass === axes.length - 1;
      const to = last && from !== output ? output : between[pass % 2];
      const weights = gaussianWeights(sigma[axis]);
      const values = axisValues(shape, axis, weights.length - 1);
      machine.run(gaussianKernel, shape, [from, machine.constants(weights), to], values);
      from = to;
    }
    // In place, or no axis at all.
    if (from !== output) machine.copy(from, output, n);
  });
}
