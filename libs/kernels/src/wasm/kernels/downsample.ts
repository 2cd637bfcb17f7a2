/** Every factor-th voxel; one output plane an item. */
export function subsample(
  input: usize, nx: i32, ny: i32, factor: i32, output: usize, mx: i32, my: i32, from: i32, to: i32, scratch: usize,
): void {
  for (let z = from; z < to; z++)
    for (let y = 0; y < my; y++) {
      const source = input + (<usize>((z * ny + y) * factor * nx) << 2);
      const target = output + (<usize>((z * my + y) * mx) << 2);
      for (let x = 0; x < mx; x++) store<f32>(target + (<usize>x << 2), load<f32>(source + (<usize>(x * factor) << 2)));
    }
}
