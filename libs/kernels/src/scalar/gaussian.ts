import type { Shape } from '../device.ts';
import { gaussianWeights } from '../gaussian-weights.ts';

/** One axis after the other, float32 between them. In place allowed. */
export function gaussian(
  input: Float32Array,
  shape: Shape,
  sigma: readonly [number, number, number],
  output: Float32Array,
): void {
  const count = shape[0] * shape[1] * shape[2];
  if (output !== input) output.set(input.subarray(0, count));
  const strides = [1, shape[0], shape[0] * shape[1]];
  for (let axis = 0; axis < 3; axis++) {
    if (sigma[axis] > 0) smoothAxis(output, count, shape[axis], strides[axis], gaussianWeights(sigma[axis]));
  }
}

function smoothAxis(data: Float32Array, count: number, n: number, stride: number, weights: Float32Array): void {
  const line = new Float32Array(n);
  for (let start = 0; start < count; start++) {
    if (Math.floor(start / stride) % n !== 0) continue;
    for (let i = 0; i < n; i++) line[i] = data[start + i * stride];
    for (let i = 0; i < n; i++) {
      let sum = weights[0] * line[i];
      for (let k = 1; k < weights.length; k++)
        sum += weights[k] * (line[Math.max(i - k, 0)] + line[Math.min(i + k, n - 1)]);
      data[start + i * stride] = sum;
    }
  }
}
