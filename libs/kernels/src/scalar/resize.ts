import type { Shape } from '../device.ts';
import { resizeMatrix } from '../resize-matrix.ts';
import { affine } from './affine.ts';

export function resize(input: Float32Array, from: Shape, to: Shape, gain: number, output: Float32Array): void {
  affine(input, from, resizeMatrix(from, to), to, output, null);
  const count = to[0] * to[1] * to[2];
  for (let i = 0; i < count; i++) output[i] *= gain;
}
