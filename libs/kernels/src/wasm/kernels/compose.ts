import { cell, clamp, fraction, interpolate, offset, step } from './trilinear';
import { add, splat, storeLanes } from './vector';

/** One plane an item. */
export function compose(
  ax: usize, ay: usize, az: usize, bx: usize, by: usize, bz: usize, ox: usize, oy: usize, oz: usize,
  nx: i32, ny: i32, nz: i32, from: i32, to: i32, scratch: usize,
): void {
  const row = step(ny, <usize>nx << 2);
  const plane = step(nz, <usize>(nx * ny) << 2);
  const wide = i32x4.splat(nx > 1 ? -1 : 0);
  for (let z = from; z < to; z++)
    for (let y = 0; y < ny; y++) {
      const line = <usize>((z * ny + y) * nx) << 2;
      for (let x = 0; x < nx; x += 4) {
        const at = line + (<usize>x << 2);
        const dx = v128.load(ax + at);
        const dy = v128.load(ay + at);
        const dz = v128.load(az + at);
        // Where a moves nothing, b is as it was: beyond what a force reaches, that is.
        if (!v128.any_true(f32x4.ne(v128.or(v128.or(dx, dy), dz), splat(0)))) {
          storeLanes(ox + at, v128.load(bx + at), nx - x);
          storeLanes(oy + at, v128.load(by + at), nx - x);
          storeLanes(oz + at, v128.load(bz + at), nx - x);
          continue;
        }
        const fx = clamp(add(add(splat(<f32>x), f32x4(0, 1, 2, 3)), dx), nx);
        const fy = clamp(add(splat(<f32>y), dy), ny);
        const fz = clamp(add(splat(<f32>z), dz), nz);
        const ix = cell(fx, nx);
        const iy = cell(fy, ny);
        const iz = cell(fz, nz);
        const q = offset(ix, iy, iz, nx, ny);
        const tx = fraction(fx, ix);
        const ty = fraction(fy, iy);
        const tz = fraction(fz, iz);
        storeLanes(ox + at, add(dx, interpolate(bx, q, tx, ty, tz, row, plane, wide)), nx - x);
        storeLanes(oy + at, add(dy, interpolate(by, q, tx, ty, tz, row, plane, wide)), nx - x);
        storeLanes(oz + at, add(dz, interpolate(bz, q, tx, ty, tz, row, plane, wide)), nx - x);
      }
    }
}
