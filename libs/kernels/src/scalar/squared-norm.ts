import type { ScalarField } from './scalar-field.ts';

export function squaredNorm(u: ScalarField, length: number, output: Float32Array): void {
  for (let i = 0; i < length; i++) output[i] = u[0][i] ** 2 + u[1][i] ** 2 + u[2][i] ** 2;
}
