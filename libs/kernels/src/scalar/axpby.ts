export function axpby(alpha: number, x: Float32Array, beta: number, y: Float32Array): void {
  for (let i = 0; i < y.length; i++) y[i] = beta === 0 ? alpha * x[i] : alpha * x[i] + beta * y[i];
}
