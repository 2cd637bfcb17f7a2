import { inside, sample } from './trilinear';
import { add, mul, splat, storeLanes } from './vector';

/** `matrix` is 12 float64. The row's origin is taken in float64, so that float32 only carries the way along the row. */
export function affine(
  image: usize, ix: i32, iy: i32, iz: i32, matrix: usize, output: usize, nx: i32, ny: i32,
  clamped: i32, outside: f32, gain: f32, from: i32, to: i32, scratch: usize,
): void {
  const sx = splat(<f32>load<f64>(matrix));
  const sy = splat(<f32>load<f64>(matrix, 32));
  const sz = splat(<f32>load<f64>(matrix, 64));
  const scale = splat(gain);
  for (let z = from; z < to; z++)
    for (let y = 0; y < ny; y++) {
      const line = <usize>((z * ny + y) * nx) << 2;
      const ox = splat(<f32>(load<f64>(matrix, 8) * y + load<f64>(matrix, 16) * z + load<f64>(matrix, 24)));
      const oy = splat(<f32>(load<f64>(matrix, 40) * y + load<f64>(matrix, 48) * z + load<f64>(matrix, 56)));
      const oz = splat(<f32>(load<f64>(matrix, 72) * y + load<f64>(matrix, 80) * z + load<f64>(matrix, 88)));
      for (let x = 0; x < nx; x += 4) {
        const lanes = add(splat(<f32>x), f32x4(0, 1, 2, 3));
        const fx = add(ox, mul(sx, lanes));
        const fy = add(oy, mul(sy, lanes));
        const fz = add(oz, mul(sz, lanes));
        let value = mul(scale, sample(image, fx, fy, fz, ix, iy, iz));
        if (!clamped) value = v128.bitselect(value, splat(outside), inside(fx, fy, fz, ix, iy, iz));
        storeLanes(output + line + (<usize>x << 2), value, nx - x);
      }
    }
}
