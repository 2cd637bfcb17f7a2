/// <reference types="@webgpu/types" />
import type { Kernels } from '../device.ts';
import type { Machine } from './machine.ts';
import { kernel } from './shader.ts';
import { stridedInvocations, stridedParameters, stridedValues } from './strided.ts';

/** The bits of floats that are not negative have the floats' order, and those of NaN come last. */
const maxNormKernel = kernel('maxNorm', {
  read: ['ux', 'uy', 'uz'],
  atomic: ['most'],
  parameters: stridedParameters,
  body: /* wgsl */ `
  var largest = 0u;
  for (var j = i; j < p.length; j += p.count) {
    let norm = ux[j] * ux[j] + uy[j] * uy[j] + uz[j] * uz[j];
    largest = max(largest, bitcast<u32>(norm) & 0x7fffffffu);
  }
  atomicMax(&most[0], largest);`,
});

/** Leaves the bits of the largest squared norm in `most`. */
export function recordMaxNorm(machine: Machine, u: readonly GPUBuffer[], length: number, most: GPUBuffer): void {
  machine.clear(most);
  machine.run(maxNormKernel, [stridedInvocations(length), 1, 1], [...u, most], stridedValues(length));
}

export const maxNorm =
  (machine: Machine): Kernels['maxNorm'] =>
  async (u, length) => {
    const field = machine.buffers(u, length);
    const bytes = await machine.temporaries(1, 1, ([most]) => {
      recordMaxNorm(machine, field, length, most);
      return machine.read(most, 4);
    });
    return Math.sqrt(new Float32Array(bytes)[0]);
  };
