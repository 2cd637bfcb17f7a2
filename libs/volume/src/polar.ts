import { invert3, type Matrix3, transpose3 } from './affine.ts';

/**
 * The orthogonal matrix closest to `m` (the polar factor), by Newton's iteration X ← (X + X⁻ᵀ)/2 of Higham, "Computing
 * the polar decomposition", SIAM J. Sci. Stat. Comput. 7(4), 1986. Its determinant has the sign of m's.
 * @throws IMAGE_GEOMETRY when `m` is singular.
 */
export function nearestOrthogonal(m: Matrix3): Matrix3 {
  let x = m;
  for (let step = 0; step < 60; step++) {
    const y = transpose3(invert3(x));
    const mean = (i: number) => (x[i] + y[i]) / 2;
    const next: Matrix3 = [mean(0), mean(1), mean(2), mean(3), mean(4), mean(5), mean(6), mean(7), mean(8)];
    let change = 0;
    for (let i = 0; i < 9; i++) change = Math.max(change, Math.abs(next[i] - x[i]));
    x = next;
    if (change < 1e-15) break;
  }
  return x;
}
