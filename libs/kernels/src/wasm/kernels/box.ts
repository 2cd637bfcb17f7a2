// Sums over a (2r+1)^2 window of one tile of a plane: `rows` rows from row `top`, products formed on the way. Direct sums,
// not running ones: those drift in float32, and then local variances come out negative.
import { firstOf, lastOf } from './extents';
import { add, larger, mul, smaller, storeLanes } from './vector';

/**
 * out = sum over the window of a*b (of a when b is 0), zero outside the image, within the extents `wanted` of the plane's rows;
 * `along` has those of the rows' own sums, which reach as far as any wanted row within the radius. `lines` holds rows + 2r rows,
 * `padded` one row with r zeros (and the vector's slack) on either side.
 */
export function boxTile(
  a: usize, b: usize, out: usize, lines: usize, padded: usize, nx: i32, ny: i32, top: i32, rows: i32, radius: i32,
  wanted: usize, along: usize,
): void {
  const row = <usize>nx << 2;
  const edge = <usize>radius << 2;
  memory.fill(padded, 0, row + 2 * edge + 64);
  const width = 2 * radius + 1;
  for (let k = 0; k < rows + 2 * radius; k++) {
    const y = top - radius + k;
    const line = lines + k * row;
    if (y < 0 || y >= ny) {
      memory.fill(line, 0, row);
      continue;
    }
    const first = firstOf(along + (<usize>y << 3));
    const last = lastOf(along + (<usize>y << 3));
    if (first == last) continue;
    const before = larger(first - radius, 0) & ~3;
    const behind = smaller(last + radius, nx);
    const start = padded + edge;
    if (b) for (let x = before; x < behind; x += 4) {
      const at = y * row + (<usize>x << 2);
      storeLanes(start + (<usize>x << 2), mul(v128.load(a + at), v128.load(b + at)), nx - x);
    } else memory.copy(start + (<usize>before << 2), a + y * row + (<usize>before << 2), <usize>(behind - before) << 2);
    if (radius == 2) {
      for (let x = first; x < last; x += 4) {
        const p = padded + (<usize>x << 2);
        const s = add(add(v128.load(p), v128.load(p, 4)), add(v128.load(p, 8), v128.load(p, 12)));
        storeLanes(line + (<usize>x << 2), add(s, v128.load(p, 16)), nx - x);
      }
    } else {
      for (let x = first; x < last; x += 4) {
        const p = padded + (<usize>x << 2);
        let s = v128.load(p);
        for (let j = 1; j < width; j++) s = add(s, v128.load(p + (<usize>j << 2)));
        storeLanes(line + (<usize>x << 2), s, nx - x);
      }
    }
  }
  for (let k = 0; k < rows; k++) {
    const line = lines + k * row;
    const extent = wanted + (<usize>(top + k) << 3);
    for (let x = firstOf(extent); x < lastOf(extent); x += 4) {
      const at = <usize>x << 2;
      storeLanes(out + k * row + at, sumRows(line + at, row, width), nx - x);
    }
  }
}

/** Sum of `count` vectors `stride` bytes apart. */
// @ts-ignore: decorator
@inline
export function sumRows(p: usize, stride: usize, count: i32): v128 {
  if (count == 5) {
    const s = add(add(v128.load(p), v128.load(p + stride)), add(v128.load(p + 2 * stride), v128.load(p + 3 * stride)));
    return add(s, v128.load(p + 4 * stride));
  }
  let s = v128.load(p);
  for (let j = 1; j < count; j++) s = add(s, v128.load(p + j * stride));
  return s;
}

/** How many of the 2r+1 positions about `at` lie on an axis of `n`. */
// @ts-ignore: decorator
@inline
export function overlap(at: i32, n: i32, radius: i32): i32 {
  return smaller(at + radius, n - 1) - larger(at - radius, 0) + 1;
}

/** Rows of a tile: the ring of 2r+1 planes of five sums must stay in a core's second-level cache. */
export const TILE: i32 = 32;
