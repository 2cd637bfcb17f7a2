/// <reference types="@webgpu/types" />
import type { Shape } from '../device.ts';
import { axisParameters, axisValues, onLine } from './along-axis.ts';
import { type Machine, size } from './machine.ts';
import { type Kernel, kernel } from './shader.ts';

/** Sums along one axis, zero outside the image; direct and not running ones, which drift in float32. */
const box = (name: string, read: readonly string[], value: string): Kernel =>
  kernel(name, {
    read,
    write: ['output'],
    parameters: axisParameters,
    body: /* wgsl */ `${onLine}
  var sum = 0.0;
  for (var k = max(c - p.radius, 0); k <= min(c + p.radius, p.length - 1); k++) {
    let j = start + k * p.stride;
    sum += ${value};
  }
  output[i] = sum;`,
  });

const boxKernel = box('box', ['a'], 'a[j]');
const boxOfProductsKernel = box('boxOfProducts', ['a', 'b'], 'a[j] * b[j]');

/** Sums of a (of a*b with two) over the (2r+1)^3 window about each voxel; `to` may be `from`. */
export function boxSum(
  machine: Machine,
  from: readonly [GPUBuffer] | readonly [GPUBuffer, GPUBuffer],
  shape: Shape,
  radius: number,
  to: GPUBuffer,
): void {
  const first = from.length === 2 ? boxOfProductsKernel : boxKernel;
  machine.temporaries(2, size(shape), ([x, y]) => {
    machine.run(first, shape, [...from, x], axisValues(shape, 0, radius));
    machine.run(boxKernel, shape, [x, y], axisValues(shape, 1, radius));
    machine.run(boxKernel, shape, [y, to], axisValues(shape, 2, radius));
  });
}
