import { type Affine, type DisplacementField, type Grid, gridOf, linearPart, multiplyAffines } from '@engram/volume';

/** A displacement in voxels of `grid`, three arrays. */
export type VoxelField = readonly [Float32Array, Float32Array, Float32Array];

/**
 * The total displacement x -> matrix (x + u(x)) - x on `grid`, RAS mm, from u in voxels of that grid: one field that says
 * everything, as ITK and ANTs keep it. Taken in float64, so that a far translation costs no precision.
 */
export function composeAffineField(grid: Grid, u: VoxelField, matrix: Affine): DisplacementField {
  const [nx, ny, nz] = grid.shape;
  const total = multiplyAffines(matrix, grid.affine);
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = linearPart(total);
  const offset = total.map((value, i) => value - grid.affine[i]);
  const n = nx * ny * nz;
  const field = { ...gridOf(grid), x: new Float32Array(n), y: new Float32Array(n), z: new Float32Array(n) };
  for (let k = 0, i = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const x0 = offset[1] * j + offset[2] * k + offset[3];
      const y0 = offset[5] * j + offset[6] * k + offset[7];
      const z0 = offset[9] * j + offset[10] * k + offset[11];
      for (let h = 0; h < nx; h++, i++) {
        const [a, b, c] = [u[0][i], u[1][i], u[2][i]];
        field.x[i] = x0 + offset[0] * h + xx * a + xy * b + xz * c;
        field.y[i] = y0 + offset[4] * h + yx * a + yy * b + yz * c;
        field.z[i] = z0 + offset[8] * h + zx * a + zy * b + zz * c;
      }
    }
  return field;
}
