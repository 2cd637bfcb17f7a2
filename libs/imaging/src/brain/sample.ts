/** Trilinear resampling of an image through a matrix onto another grid: the few lines that brain extraction needs without a device. */
import { type Affine, type Grid, invertAffine, multiplyAffines, type Shape3 } from '@engram/volume';

interface Image {
  readonly shape: Shape3;
  readonly affine: Affine;
  readonly data: ArrayLike<number>;
}

/**
 * Values of `image` at the voxels of `grid`. `matrix` takes RAS mm of the grid to RAS mm of the image. Up to half a voxel
 * beyond the outermost centres the border value holds; further out `outside`.
 */
export function sampleOnto(image: Image, matrix: Affine, grid: Grid, outside = 0): Float32Array {
  const m = multiplyAffines(invertAffine(image.affine), multiplyAffines(matrix, grid.affine));
  const [nx, ny, nz] = image.shape;
  const [gx, gy, gz] = grid.shape;
  const { data } = image;
  const out = new Float32Array(gx * gy * gz).fill(outside);
  for (let k = 0, at = 0; k < gz; k++) {
    for (let j = 0; j < gy; j++) {
      for (let i = 0; i < gx; i++, at++) {
        let x = m[0] * i + m[1] * j + m[2] * k + m[3];
        let y = m[4] * i + m[5] * j + m[6] * k + m[7];
        let z = m[8] * i + m[9] * j + m[10] * k + m[11];
        if (!(x >= -0.5 && y >= -0.5 && z >= -0.5 && x <= nx - 0.5 && y <= ny - 0.5 && z <= nz - 0.5)) continue;
        x = Math.min(Math.max(x, 0), nx - 1);
        y = Math.min(Math.max(y, 0), ny - 1);
        z = Math.min(Math.max(z, 0), nz - 1);
        const [a, b, c] = [Math.floor(x), Math.floor(y), Math.floor(z)];
        const [u, v, w] = [x - a, y - b, z - c];
        const p = (c * ny + b) * nx + a;
        const dx = a + 1 < nx ? 1 : 0;
        const dy = b + 1 < ny ? nx : 0;
        const dz = c + 1 < nz ? nx * ny : 0;
        const q = p + dz;
        const low =
          (1 - v) * ((1 - u) * data[p] + u * data[p + dx]) + v * ((1 - u) * data[p + dy] + u * data[p + dy + dx]);
        const high =
          (1 - v) * ((1 - u) * data[q] + u * data[q + dx]) + v * ((1 - u) * data[q + dy] + u * data[q + dy + dx]);
        out[at] = (1 - w) * low + w * high;
      }
    }
  }
  return out;
}
