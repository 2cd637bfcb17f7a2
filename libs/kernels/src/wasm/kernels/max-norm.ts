import { add, BLOCK, laneMask, mul, smaller } from './vector';

/** Largest squared norm of each block. */
export function maxNorm(
  ux: usize, uy: usize, uz: usize, count: i32, partials: usize, from: i32, to: i32, scratch: usize,
): void {
  for (let block = from; block < to; block++) {
    const end = smaller((block + 1) * BLOCK, count);
    let most = f32x4.splat(0);
    for (let i = block * BLOCK; i < end; i += 4) {
      const at = <usize>i << 2;
      const x = v128.load(ux + at);
      const y = v128.load(uy + at);
      const z = v128.load(uz + at);
      const norm = add(add(mul(x, x), mul(y, y)), mul(z, z));
      most = f32x4.max(most, v128.and(norm, laneMask(end - i)));
    }
    const a = max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
    const b = max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3));
    store<f64>(partials + (<usize>block << 3), <f64>max<f32>(a, b));
  }
}
