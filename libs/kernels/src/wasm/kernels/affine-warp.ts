import { inside, sample } from './trilinear';
import { add, mul, splat, storeLanes } from './vector';

/** As `affine`, with u(y) going through the matrix's linear part. */
export function affineWarp(
  image: usize, ix: i32, iy: i32, iz: i32, matrix: usize, ux: usize, uy: usize, uz: usize, output: usize,
  nx: i32, ny: i32, clamped: i32, outside: f32, from: i32, to: i32, scratch: usize,
): void {
  const xx = splat(<f32>load<f64>(matrix));
  const xy = splat(<f32>load<f64>(matrix, 8));
  const xz = splat(<f32>load<f64>(matrix, 16));
  const yx = splat(<f32>load<f64>(matrix, 32));
  const yy = splat(<f32>load<f64>(matrix, 40));
  const yz = splat(<f32>load<f64>(matrix, 48));
  const zx = splat(<f32>load<f64>(matrix, 64));
  const zy = splat(<f32>load<f64>(matrix, 72));
  const zz = splat(<f32>load<f64>(matrix, 80));
  for (let z = from; z < to; z++)
    for (let y = 0; y < ny; y++) {
      const line = <usize>((z * ny + y) * nx) << 2;
      const ox = splat(<f32>(load<f64>(matrix, 8) * y + load<f64>(matrix, 16) * z + load<f64>(matrix, 24)));
      const oy = splat(<f32>(load<f64>(matrix, 40) * y + load<f64>(matrix, 48) * z + load<f64>(matrix, 56)));
      const oz = splat(<f32>(load<f64>(matrix, 72) * y + load<f64>(matrix, 80) * z + load<f64>(matrix, 88)));
      for (let x = 0; x < nx; x += 4) {
        const at = line + (<usize>x << 2);
        const dx = add(add(splat(<f32>x), f32x4(0, 1, 2, 3)), v128.load(ux + at));
        const dy = v128.load(uy + at);
        const dz = v128.load(uz + at);
        const fx = add(ox, add(mul(xx, dx), add(mul(xy, dy), mul(xz, dz))));
        const fy = add(oy, add(mul(yx, dx), add(mul(yy, dy), mul(yz, dz))));
        const fz = add(oz, add(mul(zx, dx), add(mul(zy, dy), mul(zz, dz))));
        let value = sample(image, fx, fy, fz, ix, iy, iz);
        if (!clamped) value = v128.bitselect(value, splat(outside), inside(fx, fy, fz, ix, iy, iz));
        storeLanes(output + at, value, nx - x);
      }
    }
}
