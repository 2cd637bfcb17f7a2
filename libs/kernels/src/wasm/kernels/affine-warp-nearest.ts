/** The voxel nearest to A (y + u(y)); float64 throughout, so that ties fall as in the specification. `hasField` 0: u = 0. */
export function affineWarpNearest(
  image: usize, ix: i32, iy: i32, iz: i32, matrix: usize, hasField: i32, ux: usize, uy: usize, uz: usize,
  output: usize, nx: i32, ny: i32, outside: f32, from: i32, to: i32, scratch: usize,
): void {
  for (let z = from; z < to; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const at = <usize>((z * ny + y) * nx + x) << 2;
        let px: f64 = x;
        let py: f64 = y;
        let pz: f64 = z;
        if (hasField) {
          px += load<f32>(ux + at);
          py += load<f32>(uy + at);
          pz += load<f32>(uz + at);
        }
        const qx = floor<f64>(load<f64>(matrix) * px + load<f64>(matrix, 8) * py + load<f64>(matrix, 16) * pz + load<f64>(matrix, 24) + 0.5);
        const qy = floor<f64>(load<f64>(matrix, 32) * px + load<f64>(matrix, 40) * py + load<f64>(matrix, 48) * pz + load<f64>(matrix, 56) + 0.5);
        const qz = floor<f64>(load<f64>(matrix, 64) * px + load<f64>(matrix, 72) * py + load<f64>(matrix, 80) * pz + load<f64>(matrix, 88) + 0.5);
        let value = outside;
        if (qx >= 0 && qy >= 0 && qz >= 0 && qx < ix && qy < iy && qz < iz)
          value = load<f32>(image + (<usize>((<i32>qz * iy + <i32>qy) * ix + <i32>qx) << 2));
        store<f32>(output + at, value);
      }
}
