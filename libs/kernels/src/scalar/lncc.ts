import type { Shape } from '../device.ts';
import type { ScalarField } from './scalar-field.ts';

/** Window sums in float64, straight from the definition; see docs/algorithms/kernels.md. */
export function lncc(
  fixed: Float32Array,
  moving: Float32Array,
  mask: Float32Array | null,
  shape: Shape,
  radius: number,
  epsilon: number,
  force: ScalarField,
): number {
  const [nx, ny, nz] = shape;
  const count = nx * ny * nz;
  const box = (value: (i: number) => number) => boxSum(value, shape, radius);
  const sizes = box(() => 1);
  const sf = box((i) => fixed[i]);
  const sm = box((i) => moving[i]);
  const sff = box((i) => fixed[i] * fixed[i]);
  const smm = box((i) => moving[i] * moving[i]);
  const sfm = box((i) => fixed[i] * moving[i]);
  const p = new Float64Array(count);
  const q = new Float64Array(count);
  const c = new Float64Array(count);
  let total = 0;
  let centres = 0;
  for (let i = 0; i < count; i++) {
    if (mask && !(mask[i] > 0)) continue;
    const f0 = sf[i] / sizes[i];
    const m0 = sm[i] / sizes[i];
    const fm = sfm[i] - sf[i] * m0;
    const mm = smm[i] - sm[i] * m0 + epsilon;
    p[i] = Math.abs(fm) / ((sff[i] - sf[i] * f0 + epsilon) * mm);
    const e = fm * p[i];
    q[i] = e / mm;
    c[i] = q[i] * m0 - p[i] * f0;
    total += e;
    centres++;
  }
  const bp = box((i) => p[i]);
  const bq = box((i) => q[i]);
  const bc = box((i) => c[i]);
  const strides = [1, nx, nx * ny];
  for (let i = 0; i < count; i++) {
    const derivative = 2 * (fixed[i] * bp[i] - moving[i] * bq[i] + bc[i]);
    for (let k = 0; k < 3; k++) {
      const at = Math.floor(i / strides[k]) % shape[k];
      const after = at < shape[k] - 1 ? i + strides[k] : i;
      const before = at > 0 ? i - strides[k] : i;
      force[k][i] = derivative * 0.5 * (moving[after] - moving[before]);
    }
  }
  return centres > 0 ? total / centres : 0;
}

function boxSum(value: (i: number) => number, shape: Shape, radius: number): Float64Array {
  let sums = Float64Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => value(i));
  for (let axis = 0, stride = 1; axis < 3; stride *= shape[axis++]) {
    const source = sums;
    const n = shape[axis];
    sums = Float64Array.from(source, (_, i) => {
      const at = Math.floor(i / stride) % n;
      let sum = 0;
      for (let k = Math.max(at - radius, 0); k <= Math.min(at + radius, n - 1); k++)
        sum += source[i + (k - at) * stride];
      return sum;
    });
  }
  return sums;
}
