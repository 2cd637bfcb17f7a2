/** Ridge regression by normal equations: the linear part of the forecast (last value, stage slope, imaging) in closed form. */
import { affine, type Layer, layer } from './network.ts';

/**
 * @param rows inputs, one array a person
 * @param target value of one output for person k, NaN where nobody measured
 * @param strength penalty on the weights, not on the intercept, in units of a row
 */
export function fitRidge(
  rows: readonly ArrayLike<number>[],
  outputs: number,
  target: (row: number, output: number) => number,
  strength: number,
): Layer {
  const inputs = rows[0]?.length ?? 0;
  const fitted = layer(inputs, outputs);
  const size = inputs + 1;
  for (let o = 0; o < outputs; o++) {
    const gram = new Float64Array(size * size);
    const right = new Float64Array(size);
    const x = new Float64Array(size);
    rows.forEach((row, k) => {
      const y = target(k, o);
      if (Number.isNaN(y)) return;
      for (let i = 0; i < inputs; i++) x[i] = row[i] ?? 0;
      x[inputs] = 1;
      for (let i = 0; i < size; i++) {
        const value = x[i] ?? 0;
        if (value === 0) continue;
        right[i] = (right[i] ?? 0) + value * y;
        for (let j = 0; j <= i; j++) gram[i * size + j] = (gram[i * size + j] ?? 0) + value * (x[j] ?? 0);
      }
    });
    for (let i = 0; i < inputs; i++) gram[i * size + i] = (gram[i * size + i] ?? 0) + strength;
    const solution = solveSymmetric(gram, right, size);
    for (let i = 0; i < inputs; i++) fitted.weights[i * outputs + o] = solution[i] ?? 0;
    fitted.bias[o] = solution[inputs] ?? 0;
  }
  return fitted;
}

/** Cholesky; `gram` holds the lower triangle and is overwritten. A vanishing pivot (an input never seen) gives weight 0. */
function solveSymmetric(gram: Float64Array, right: Float64Array, n: number): Float64Array {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = gram[i * n + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (gram[i * n + k] ?? 0) * (gram[j * n + k] ?? 0);
      if (i === j) gram[j * n + j] = Math.sqrt(Math.max(sum, 1e-9));
      else gram[i * n + j] = sum / (gram[j * n + j] ?? 1);
    }
  }
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = right[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (gram[i * n + k] ?? 0) * (y[k] ?? 0);
    y[i] = sum / (gram[i * n + i] ?? 1);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = y[i] ?? 0;
    for (let k = i + 1; k < n; k++) sum -= (gram[k * n + i] ?? 0) * (y[k] ?? 0);
    y[i] = sum / (gram[i * n + i] ?? 1);
  }
  return y;
}

/** Residual left to the network: target minus the linear part. */
export function linearPart(fitted: Layer, row: ArrayLike<number>): Float64Array {
  const y = new Float64Array(fitted.outputs);
  affine(fitted, row, y);
  return y;
}
