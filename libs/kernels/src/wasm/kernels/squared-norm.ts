import { add, BLOCK, mul, smaller, storeLanes } from './vector';

/** One block an item. */
export function squaredNorm(
  ux: usize, uy: usize, uz: usize, count: i32, output: usize, from: i32, to: i32, scratch: usize,
): void {
  const end = smaller(to * BLOCK, count);
  for (let i = from * BLOCK; i < end; i += 4) {
    const at = <usize>i << 2;
    const x = v128.load(ux + at);
    const y = v128.load(uy + at);
    const z = v128.load(uz + at);
    storeLanes(output + at, add(add(mul(x, x), mul(y, y)), mul(z, z)), end - i);
  }
}
