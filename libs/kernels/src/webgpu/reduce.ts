/// <reference types="@webgpu/types" />
import type { Extent, Kernels } from '../device.ts';
import type { Machine } from './machine.ts';
import { kernel } from './shader.ts';
import { stridedInvocations, stridedParameters, stridedValues } from './strided.ts';
import { isNan } from './trilinear.ts';

/**
 * One partial sum an invocation, in eights so that rounding grows slowly. The extremes as keys: unsigned numbers in the
 * order of the floats, with NaN as the largest; `extremes` holds the largest key and the largest complement of one, so
 * that it starts from 0.
 */
const reduceKernel = kernel('reduce', {
  read: ['input'],
  write: ['sums'],
  atomic: ['extremes'],
  parameters: stridedParameters,
  functions: [
    isNan,
    /* wgsl */ `
fn key(v: f32) -> u32 {
  let bits = bitcast<u32>(v);
  if (is_nan(v)) { return 0xffffffffu; }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}`,
  ],
  body: /* wgsl */ `
  var total = 0.0;
  var highest = 0u;
  var lowest = 0u;
  for (var j = i; j < p.length;) {
    var eight = 0.0;
    for (var k = 0; k < 8 && j < p.length; k++) {
      let value = input[j];
      eight += value;
      highest = max(highest, key(value));
      lowest = max(lowest, ~key(value));
      j += p.count;
    }
    total += eight;
  }
  sums[i] = total;
  atomicMax(&extremes[0], highest);
  atomicMax(&extremes[1], lowest);`,
});

const NAN_KEY = 0xffffffff;

function floatOf(key: number): number {
  const bits = key >= 0x80000000 ? key & 0x7fffffff : ~key;
  return new Float32Array(Int32Array.of(bits).buffer)[0];
}

export const reduce =
  (machine: Machine): Kernels['reduce'] =>
  (input, length) =>
    reduceVolume(machine, machine.buffer(input, length), length);

/** The host adds the partial sums in float64, in order. */
export async function reduceVolume(machine: Machine, input: GPUBuffer, length: number): Promise<Extent> {
  if (length === 0) return { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0 };
  const invocations = stridedInvocations(length);
  const [partials, found] = await machine.temporaries(2, Math.max(invocations, 2), ([sums, extremes]) => {
    machine.clear(extremes);
    machine.run(reduceKernel, [invocations, 1, 1], [input, sums, extremes], stridedValues(length));
    return Promise.all([machine.read(sums, invocations * 4), machine.read(extremes, 8)]);
  });
  const sum = new Float32Array(partials).reduce((total, value) => total + value, 0);
  const [highest, lowest] = new Uint32Array(found);
  if (highest === NAN_KEY) return { min: Number.NaN, max: Number.NaN, sum };
  return { min: floatOf(~lowest >>> 0), max: floatOf(highest), sum };
}
