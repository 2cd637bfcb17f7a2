import type { Extent } from '../device.ts';

export function reduce(input: Float32Array, length: number): Extent {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    min = Math.min(min, input[i]);
    max = Math.max(max, input[i]);
    sum += input[i];
  }
  return { min, max, sum };
}
