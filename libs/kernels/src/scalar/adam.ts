import type { AdamOptions } from '../device.ts';
import type { ScalarField } from './scalar-field.ts';

export function adam(
  gradient: ScalarField,
  m: ScalarField,
  v: ScalarField,
  iteration: number,
  { beta1, beta2, epsilon, limit }: AdamOptions,
  step: ScalarField,
): void {
  const c1 = 1 / (1 - beta1 ** iteration);
  const c2 = 1 / (1 - beta2 ** iteration);
  const length = step[0].length;
  let most = 0;
  for (let i = 0; i < length; i++) {
    let norm = 0;
    for (let k = 0; k < 3; k++) {
      const g = gradient[k][i];
      m[k][i] = beta1 * m[k][i] + (1 - beta1) * g;
      v[k][i] = beta2 * v[k][i] + (1 - beta2) * g * g;
      step[k][i] = (c1 * m[k][i]) / (Math.sqrt(c2 * v[k][i]) + epsilon);
      norm += step[k][i] ** 2;
    }
    most = Math.max(most, norm);
  }
  const scale = limit / Math.max(1, Math.sqrt(most));
  for (let k = 0; k < 3; k++) for (let i = 0; i < length; i++) step[k][i] *= scale;
}
