import { add, BLOCK, mul, smaller, splat, storeLanes, sub } from './vector';

/** One block an item; `floor` is the squared threshold. */
export function addAttenuated(
  x: usize, energy: usize, floor: f32, y: usize, count: i32, from: i32, to: i32, scratch: usize,
): void {
  const f = splat(floor);
  const one = splat(1);
  const none = splat(0);
  const end = smaller(to * BLOCK, count);
  for (let i = from * BLOCK; i < end; i += 4) {
    const at = <usize>i << 2;
    const e = v128.load(energy + at);
    // Chosen and not clamped: an energy of 0 gives 0, one that is not a number spreads.
    const share = v128.bitselect(none, sub(one, f32x4.div(f, e)), f32x4.le(e, f));
    storeLanes(y + at, add(v128.load(y + at), mul(share, v128.load(x + at))), end - i);
  }
}
