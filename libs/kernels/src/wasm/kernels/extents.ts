// Where the rows of a volume hold something: for each row the x from which and before which it may have elements that are not zero, as
// two int32, equal when there are none; in whole vectors but at the row's end. Much of a brain's box is not brain, and nothing has to
// be computed from nothing.
import { larger, smaller } from './vector';

/** One plane an item. NaN is something. Without an input, 0, every row is full. */
export function extents(input: usize, table: usize, nx: i32, ny: i32, from: i32, to: i32, scratch: usize): void {
  const nothing = f32x4.splat(0);
  for (let line = from * ny; line < to * ny; line++) {
    const row = input + (<usize>(line * nx) << 2);
    let first = 0;
    let last = nx;
    if (input) {
      while (first + 4 <= nx && !v128.any_true(f32x4.ne(v128.load(row + (<usize>first << 2)), nothing))) first += 4;
      while (first < nx && load<f32>(row + (<usize>first << 2)) == 0) first++;
      while (last > first && load<f32>(row + (<usize>(last - 1) << 2)) == 0) last--;
    }
    storeExtent(table + (<usize>line << 3), first, last, nx);
  }
}

/** The extent of rows y - `ry` to y + `ry` of planes z - `rz` to z + `rz` together, `rx` wider on both sides. One plane an item. */
export function widenExtents(
  table: usize, output: usize, rx: i32, ry: i32, rz: i32, nx: i32, ny: i32, nz: i32, from: i32, to: i32, scratch: usize,
): void {
  for (let z = from; z < to; z++)
    for (let y = 0; y < ny; y++) {
      let low = nx;
      let high = 0;
      for (let k = larger(z - rz, 0); k <= smaller(z + rz, nz - 1); k++)
        for (let j = larger(y - ry, 0); j <= smaller(y + ry, ny - 1); j++) {
          const at = table + (<usize>(k * ny + j) << 3);
          if (firstOf(at) == lastOf(at)) continue;
          low = smaller(low, firstOf(at));
          high = larger(high, lastOf(at));
        }
      const isEmpty = low >= high;
      storeExtent(output + (<usize>(z * ny + y) << 3), isEmpty ? 0 : larger(low - rx, 0), isEmpty ? 0 : smaller(high + rx, nx), nx);
    }
}

function storeExtent(at: usize, first: i32, last: i32, nx: i32): void {
  const isEmpty = first >= last;
  store<i32>(at, isEmpty ? 0 : first & ~3);
  store<i32>(at, isEmpty ? 0 : smaller((last + 3) & ~3, nx), 4);
}

// @ts-ignore: decorator
@inline
export function firstOf(extent: usize): i32 {
  return load<i32>(extent);
}
// @ts-ignore: decorator
@inline
export function lastOf(extent: usize): i32 {
  return load<i32>(extent, 4);
}

/** Zeros in a row but within its extent. */
export function clearBut(row: usize, extent: usize, nx: i32): void {
  memory.fill(row, 0, <usize>firstOf(extent) << 2);
  memory.fill(row + (<usize>lastOf(extent) << 2), 0, <usize>(nx - lastOf(extent)) << 2);
}
