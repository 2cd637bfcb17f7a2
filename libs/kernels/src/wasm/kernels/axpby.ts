import { add, BLOCK, mul, smaller, splat, storeLanes } from './vector';

/** One block an item. A zero `beta` does not read y, so that a NaN there does not stay. */
export function axpby(
  alpha: f32, x: usize, beta: f32, y: usize, count: i32, from: i32, to: i32, scratch: usize,
): void {
  const a = splat(alpha);
  const b = splat(beta);
  const end = smaller(to * BLOCK, count);
  for (let i = from * BLOCK; i < end; i += 4) {
    const at = <usize>i << 2;
    let value = mul(a, v128.load(x + at));
    if (beta != 0) value = add(value, mul(b, v128.load(y + at)));
    storeLanes(y + at, value, end - i);
  }
}
