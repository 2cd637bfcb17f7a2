import { add, BLOCK, laneMask, mul, smaller, splat, storeLanes } from './vector';

// @ts-ignore: decorator
@inline
function direction(
  g: usize, m: usize, v: usize, d: usize, lanes: i32, b1: v128, r1: v128, b2: v128, r2: v128, c1: v128, c2: v128, e: v128,
): v128 {
  const gradient = v128.load(g);
  const first = add(mul(b1, v128.load(m)), mul(r1, gradient));
  const second = add(mul(b2, v128.load(v)), mul(r2, mul(gradient, gradient)));
  const value = f32x4.div(mul(c1, first), add(f32x4.sqrt(mul(c2, second)), e));
  storeLanes(m, first, lanes);
  storeLanes(v, second, lanes);
  storeLanes(d, value, lanes);
  return mul(value, value);
}

/** Updates both moments, writes the direction D and each block's largest |D|^2. `c1`, `c2` are the bias corrections. */
export function adamDirection(
  gx: usize, gy: usize, gz: usize, mx: usize, my: usize, mz: usize, vx: usize, vy: usize, vz: usize,
  dx: usize, dy: usize, dz: usize, count: i32, beta1: f32, beta2: f32, c1: f32, c2: f32, epsilon: f32,
  partials: usize, from: i32, to: i32, scratch: usize,
): void {
  const b1 = splat(beta1);
  const b2 = splat(beta2);
  const r1 = splat(<f32>1 - beta1);
  const r2 = splat(<f32>1 - beta2);
  const k1 = splat(c1);
  const k2 = splat(c2);
  const e = splat(epsilon);
  for (let block = from; block < to; block++) {
    const end = smaller((block + 1) * BLOCK, count);
    let most = f32x4.splat(0);
    for (let i = block * BLOCK; i < end; i += 4) {
      const at = <usize>i << 2;
      const lanes = end - i;
      const x = direction(gx + at, mx + at, vx + at, dx + at, lanes, b1, r1, b2, r2, k1, k2, e);
      const y = direction(gy + at, my + at, vy + at, dy + at, lanes, b1, r1, b2, r2, k1, k2, e);
      const z = direction(gz + at, mz + at, vz + at, dz + at, lanes, b1, r1, b2, r2, k1, k2, e);
      most = f32x4.max(most, v128.and(add(add(x, y), z), laneMask(lanes)));
    }
    const a = max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
    const b = max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3));
    store<f64>(partials + (<usize>block << 3), <f64>max<f32>(a, b));
  }
}
