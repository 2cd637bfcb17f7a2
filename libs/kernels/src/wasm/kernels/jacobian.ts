import { add, larger, mul, smaller, splat, storeLanes, sub } from './vector';

/** Copies a row with its ends repeated once: sample 0 lies at `to` + 4. */
// @ts-ignore: decorator
@inline
function padRow(to: usize, from: usize, row: usize): void {
  store<f32>(to, load<f32>(from));
  memory.copy(to + 4, from, row);
  store<f32>(to + 4 + row, load<f32>(from + row - 4));
}

/** 1 / (distance between the two neighbours that a clamped central difference uses), 0 on an axis of one voxel. */
// @ts-ignore: decorator
@inline
function weight(at: i32, n: i32): f32 {
  if (n < 2) return 0;
  return at > 0 && at < n - 1 ? 0.5 : 1;
}

/** One plane an item. Scratch: three padded rows and a row of weights. */
export function jacobian(
  ux: usize, uy: usize, uz: usize, output: usize, nx: i32, ny: i32, nz: i32, from: i32, to: i32, scratch: usize,
): void {
  const row = <usize>nx << 2;
  const plane = row * ny;
  const px = scratch;
  const py = px + row + 64;
  const pz = py + row + 64;
  const weights = pz + row + 64;
  for (let x = 0; x < nx; x++) store<f32>(weights + (<usize>x << 2), weight(x, nx));
  const one = splat(1);
  for (let z = from; z < to; z++) {
    const wz = splat(weight(z, nz));
    for (let y = 0; y < ny; y++) {
      const wy = splat(weight(y, ny));
      const here = z * plane + y * row;
      const ym = z * plane + larger(y - 1, 0) * row;
      const yp = z * plane + smaller(y + 1, ny - 1) * row;
      const zm = larger(z - 1, 0) * plane + y * row;
      const zp = smaller(z + 1, nz - 1) * plane + y * row;
      padRow(px, ux + here, row);
      padRow(py, uy + here, row);
      padRow(pz, uz + here, row);
      for (let x = 0; x < nx; x += 4) {
        const at = <usize>x << 2;
        const wx = v128.load(weights + at);
        const xx = add(one, mul(wx, sub(v128.load(px + at, 8), v128.load(px + at))));
        const yx = mul(wx, sub(v128.load(py + at, 8), v128.load(py + at)));
        const zx = mul(wx, sub(v128.load(pz + at, 8), v128.load(pz + at)));
        const xy = mul(wy, sub(v128.load(ux + yp + at), v128.load(ux + ym + at)));
        const yy = add(one, mul(wy, sub(v128.load(uy + yp + at), v128.load(uy + ym + at))));
        const zy = mul(wy, sub(v128.load(uz + yp + at), v128.load(uz + ym + at)));
        const xz = mul(wz, sub(v128.load(ux + zp + at), v128.load(ux + zm + at)));
        const yz = mul(wz, sub(v128.load(uy + zp + at), v128.load(uy + zm + at)));
        const zz = add(one, mul(wz, sub(v128.load(uz + zp + at), v128.load(uz + zm + at))));
        const a = mul(xx, sub(mul(yy, zz), mul(yz, zy)));
        const b = mul(xy, sub(mul(yx, zz), mul(yz, zx)));
        const c = mul(xz, sub(mul(yx, zy), mul(yy, zx)));
        storeLanes(output + here + at, add(sub(a, b), c), nx - x);
      }
    }
  }
}
