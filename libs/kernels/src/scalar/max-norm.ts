import type { ScalarField } from './scalar-field.ts';

export function maxNorm(u: ScalarField, length: number): number {
  let most = 0;
  for (let i = 0; i < length; i++) most = Math.max(most, u[0][i] ** 2 + u[1][i] ** 2 + u[2][i] ** 2);
  return Math.sqrt(most);
}
