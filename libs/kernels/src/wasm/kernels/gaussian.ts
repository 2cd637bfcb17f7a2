// One separable FIR, three times: a symmetric weighted sum of rows that a table of pointers names. Along x the rows are
// shifted views of one padded row, along y and z they are neighbours clamped at the border.
import { add, larger, mul, smaller, storeLanes } from './vector';

/** `table` holds the centre's pointer, then a pair for each distance 1..radius; `weights` one float for each distance. */
function symmetricSum(table: usize, weights: usize, radius: i32, out: usize, n: i32): void {
  const centre = load<usize>(table);
  let x = 0;
  for (; x + 16 <= n; x += 16) {
    const at = <usize>x << 2;
    let w = v128.load32_splat(weights);
    let s0 = mul(w, v128.load(centre + at));
    let s1 = mul(w, v128.load(centre + at, 16));
    let s2 = mul(w, v128.load(centre + at, 32));
    let s3 = mul(w, v128.load(centre + at, 48));
    for (let k = 1; k <= radius; k++) {
      const pair = table + (<usize>k << 3);
      const a = load<usize>(pair) + at;
      const b = load<usize>(pair, 4) + at;
      w = v128.load32_splat(weights + (<usize>k << 2));
      s0 = add(s0, mul(w, add(v128.load(a), v128.load(b))));
      s1 = add(s1, mul(w, add(v128.load(a, 16), v128.load(b, 16))));
      s2 = add(s2, mul(w, add(v128.load(a, 32), v128.load(b, 32))));
      s3 = add(s3, mul(w, add(v128.load(a, 48), v128.load(b, 48))));
    }
    v128.store(out + at, s0);
    v128.store(out + at, s1, 16);
    v128.store(out + at, s2, 32);
    v128.store(out + at, s3, 48);
  }
  for (; x < n; x += 4) {
    const at = <usize>x << 2;
    let s = mul(v128.load32_splat(weights), v128.load(centre + at));
    for (let k = 1; k <= radius; k++) {
      const pair = table + (<usize>k << 3);
      const w = v128.load32_splat(weights + (<usize>k << 2));
      s = add(s, mul(w, add(v128.load(load<usize>(pair) + at), v128.load(load<usize>(pair, 4) + at))));
    }
    storeLanes(out + at, s, n - x);
  }
}

/** Pointers to the rows at distance 1..radius of row `at`, `stride` bytes apart, clamped to the `n` rows from `first`. */
function neighbourRows(table: usize, first: usize, at: i32, n: i32, stride: usize, radius: i32): void {
  store<usize>(table, first + at * stride);
  for (let k = 1; k <= radius; k++) {
    const pair = table + (<usize>k << 3);
    store<usize>(pair, first + larger(at - k, 0) * stride);
    store<usize>(pair, first + smaller(at + k, n - 1) * stride, 4);
  }
}

/** Along x, then y, one plane an item. Scratch: table, padded row, plane. */
export function gaussianXy(
  input: usize, output: usize, weightsX: usize, radiusX: i32, weightsY: usize, radiusY: i32, nx: i32, ny: i32,
  from: i32, to: i32, scratch: usize,
): void {
  const row = <usize>nx << 2;
  const plane = row * ny;
  const table = scratch;
  const padded = table + (<usize>(larger(radiusX, radiusY) + 1) << 3);
  const smoothed = padded + row + (<usize>radiusX << 3) + 64;
  for (let z = from; z < to; z++) {
    for (let y = 0; y < ny; y++) {
      const source = input + z * plane + y * row;
      const first = load<f32>(source);
      const last = load<f32>(source + row - 4);
      const start = padded + (<usize>radiusX << 2);
      for (let k = 0; k < radiusX; k++) {
        store<f32>(padded + (<usize>k << 2), first);
        store<f32>(start + row + (<usize>k << 2), last);
      }
      memory.copy(start, source, row);
      store<usize>(table, start);
      for (let k = 1; k <= radiusX; k++) {
        store<usize>(table + (<usize>k << 3), start - (<usize>k << 2));
        store<usize>(table + (<usize>k << 3), start + (<usize>k << 2), 4);
      }
      symmetricSum(table, weightsX, radiusX, smoothed + y * row, nx);
    }
    for (let y = 0; y < ny; y++) {
      neighbourRows(table, smoothed, y, ny, row, radiusY);
      symmetricSum(table, weightsY, radiusY, output + z * plane + y * row, nx);
    }
  }
}

/** Along z, one y an item. Scratch: table. */
export function gaussianZ(
  input: usize, output: usize, weights: usize, radius: i32, nx: i32, ny: i32, nz: i32,
  from: i32, to: i32, scratch: usize,
): void {
  const row = <usize>nx << 2;
  const plane = row * ny;
  for (let y = from; y < to; y++)
    for (let z = 0; z < nz; z++) {
      neighbourRows(scratch, input + y * row, z, nz, plane, radius);
      symmetricSum(scratch, weights, radius, output + z * plane + y * row, nx);
    }
}
