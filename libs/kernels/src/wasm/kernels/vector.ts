// Four float32 lanes and their tails. Every buffer has 64 bytes of slack behind it, so a vector may be read past the end
// of a row; it is stored and counted lane by lane.

// @ts-ignore: decorator
@inline
export function add(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}
// @ts-ignore: decorator
@inline
export function sub(a: v128, b: v128): v128 {
  return f32x4.sub(a, b);
}
// @ts-ignore: decorator
@inline
export function mul(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}
// @ts-ignore: decorator
@inline
export function splat(value: f32): v128 {
  return f32x4.splat(value);
}
// @ts-ignore: decorator
@inline
export function smaller(a: i32, b: i32): i32 {
  return a < b ? a : b;
}
// @ts-ignore: decorator
@inline
export function larger(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/** Stores the first `lanes` lanes (all when 4 or more). */
// @ts-ignore: decorator
@inline
export function storeLanes(at: usize, v: v128, lanes: i32): void {
  if (lanes >= 4) v128.store(at, v);
  else {
    v128.store32_lane(at, v, 0);
    if (lanes > 1) v128.store32_lane(at + 4, v, 1);
    if (lanes > 2) v128.store32_lane(at + 8, v, 2);
  }
}

/** All bits set in the first `lanes` lanes. */
// @ts-ignore: decorator
@inline
export function laneMask(lanes: i32): v128 {
  return i32x4.gt_s(i32x4.splat(lanes), i32x4(0, 1, 2, 3));
}

/** Sum of the lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function laneSum(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** Elements of a flat work item: reductions keep one partial result each, so no result depends on who did which. */
export const BLOCK: i32 = 16384;
