/** What a measure of likeness takes and gives. */
import { type Affine, invertAffine, type MaskVolume } from '@engram/volume';

export interface SimilarityValue {
  /** Larger is more alike. */
  readonly value: number;
  /** The same on a scale of 0 to 1 that barely depends on the overlap. */
  readonly normalised: number;
  /** Share of the samples that fall inside the moving image and its mask. */
  readonly overlap: number;
  /** Derivative of `value` by the 3x4 row-major matrix; zeros when not asked for. */
  readonly entries: Float64Array;
}

/** @param matrix fixed RAS mm → moving RAS mm. */
export type Similarity = (matrix: Affine, withGradient: boolean) => SimilarityValue;

/** Tells whether a fixed point (RAS mm), sent through `matrix`, lands in the mask (nearest voxel). */
export function insideMask(mask: MaskVolume): (matrix: Affine, x: number, y: number, z: number) => boolean {
  const v = invertAffine(mask.affine);
  const [nx, ny, nz] = mask.shape;
  return (m, x, y, z) => {
    const px = m[0] * x + m[1] * y + m[2] * z + m[3];
    const py = m[4] * x + m[5] * y + m[6] * z + m[7];
    const pz = m[8] * x + m[9] * y + m[10] * z + m[11];
    const i = Math.round(v[0] * px + v[1] * py + v[2] * pz + v[3]);
    const j = Math.round(v[4] * px + v[5] * py + v[6] * pz + v[7]);
    const k = Math.round(v[8] * px + v[9] * py + v[10] * pz + v[11]);
    return i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz && mask.data[(k * ny + j) * nx + i] > 0;
  };
}
