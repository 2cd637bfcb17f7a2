import { sample } from './trilinear';
import { add, splat, storeLanes } from './vector';

/** One plane an item. */
export function warp(
  image: usize, ux: usize, uy: usize, uz: usize, output: usize, nx: i32, ny: i32, nz: i32,
  from: i32, to: i32, scratch: usize,
): void {
  for (let z = from; z < to; z++)
    for (let y = 0; y < ny; y++) {
      const line = <usize>((z * ny + y) * nx) << 2;
      for (let x = 0; x < nx; x += 4) {
        const at = line + (<usize>x << 2);
        const fx = add(add(splat(<f32>x), f32x4(0, 1, 2, 3)), v128.load(ux + at));
        const fy = add(splat(<f32>y), v128.load(uy + at));
        const fz = add(splat(<f32>z), v128.load(uz + at));
        storeLanes(output + at, sample(image, fx, fy, fz, nx, ny, nz), nx - x);
      }
    }
}
