import { inside, sample } from './trilinear';
import { BLOCK, smaller, splat, storeLanes } from './vector';

/** One block of points an item. */
export function samplePoints(
  image: usize, nx: i32, ny: i32, nz: i32, px: usize, py: usize, pz: usize, output: usize, count: i32,
  clamped: i32, outside: f32, from: i32, to: i32, scratch: usize,
): void {
  const end = smaller(to * BLOCK, count);
  for (let i = from * BLOCK; i < end; i += 4) {
    const at = <usize>i << 2;
    const x = v128.load(px + at);
    const y = v128.load(py + at);
    const z = v128.load(pz + at);
    let value = sample(image, x, y, z, nx, ny, nz);
    if (!clamped) value = v128.bitselect(value, splat(outside), inside(x, y, z, nx, ny, nz));
    storeLanes(output + at, value, end - i);
  }
}
