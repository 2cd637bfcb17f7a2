// Trilinear interpolation of four points at once. One 8-byte load fetches the two x-neighbours of a corner row.
import { add, larger, mul, sub } from './vector';

// @ts-ignore: decorator
@inline
function lerpRow(base: usize, q0: usize, q1: usize, q2: usize, q3: usize, tx: v128, wide: v128): v128 {
  const v01 = v128.load64_lane(base + q1, v128.load64_zero(base + q0), 1);
  const v23 = v128.load64_lane(base + q3, v128.load64_zero(base + q2), 1);
  const low = v128.shuffle<f32>(v01, v23, 0, 2, 4, 6);
  // An image one voxel wide has no right-hand neighbour: what lies there must not get in, not even times zero.
  const high = v128.bitselect(v128.shuffle<f32>(v01, v23, 1, 3, 5, 7), low, wide);
  return add(low, mul(tx, sub(high, low)));
}

/** The value in the cells that start at byte offsets `q`, at fractions `tx`, `ty`, `tz`. */
// @ts-ignore: decorator
@inline
export function interpolate(
  image: usize, q: v128, tx: v128, ty: v128, tz: v128, row: usize, plane: usize, wide: v128,
): v128 {
  const q0 = <usize>i32x4.extract_lane(q, 0);
  const q1 = <usize>i32x4.extract_lane(q, 1);
  const q2 = <usize>i32x4.extract_lane(q, 2);
  const q3 = <usize>i32x4.extract_lane(q, 3);
  const next = image + plane;
  const a = lerpRow(image, q0, q1, q2, q3, tx, wide);
  const b = lerpRow(image + row, q0, q1, q2, q3, tx, wide);
  const c = lerpRow(next, q0, q1, q2, q3, tx, wide);
  const d = lerpRow(next + row, q0, q1, q2, q3, tx, wide);
  const near = add(a, mul(ty, sub(b, a)));
  const far = add(c, mul(ty, sub(d, c)));
  return add(near, mul(tz, sub(far, near)));
}

/** Within [0, n - 1]; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function clamp(f: v128, n: i32): v128 {
  return f32x4.min(f32x4.max(f, f32x4.splat(0)), f32x4.splat(<f32>(n - 1)));
}

/** Index of the cell that holds a clamped coordinate: 0 for NaN, and the last cell for the last voxel. */
// @ts-ignore: decorator
@inline
export function cell(f: v128, n: i32): v128 {
  return i32x4.min_s(i32x4.trunc_sat_f32x4_s(f), i32x4.splat(larger(n - 2, 0)));
}

// @ts-ignore: decorator
@inline
export function fraction(f: v128, index: v128): v128 {
  return sub(f, f32x4.convert_i32x4_s(index));
}

/** Byte offset of voxel (x, y, z). */
// @ts-ignore: decorator
@inline
export function offset(x: v128, y: v128, z: v128, nx: i32, ny: i32): v128 {
  const line = i32x4.add(i32x4.mul(z, i32x4.splat(ny)), y);
  return i32x4.shl(i32x4.add(i32x4.mul(line, i32x4.splat(nx)), x), 2);
}

/** Bytes to the next voxel along an axis: 0 when there is none. */
// @ts-ignore: decorator
@inline
export function step(n: i32, bytes: usize): usize {
  return n > 1 ? bytes : 0;
}

/** Lanes whose coordinates all lie within [-0.5, n - 0.5): none with a NaN does. */
// @ts-ignore: decorator
@inline
export function inside(fx: v128, fy: v128, fz: v128, nx: i32, ny: i32, nz: i32): v128 {
  const low = f32x4.splat(-0.5);
  const half: f32 = 0.5;
  const x = v128.and(f32x4.ge(fx, low), f32x4.lt(fx, f32x4.splat(<f32>nx - half)));
  const y = v128.and(f32x4.ge(fy, low), f32x4.lt(fy, f32x4.splat(<f32>ny - half)));
  const z = v128.and(f32x4.ge(fz, low), f32x4.lt(fz, f32x4.splat(<f32>nz - half)));
  return v128.and(v128.and(x, y), z);
}

/** The image at free coordinates in voxels, clamped. */
// @ts-ignore: decorator
@inline
export function sample(image: usize, x: v128, y: v128, z: v128, nx: i32, ny: i32, nz: i32): v128 {
  const fx = clamp(x, nx);
  const fy = clamp(y, ny);
  const fz = clamp(z, nz);
  const ix = cell(fx, nx);
  const iy = cell(fy, ny);
  const iz = cell(fz, nz);
  const row = <usize>nx << 2;
  return interpolate(
    image, offset(ix, iy, iz, nx, ny), fraction(fx, ix), fraction(fy, iy), fraction(fz, iz),
    step(ny, row), step(nz, row * ny), i32x4.splat(nx > 1 ? -1 : 0),
  );
}
