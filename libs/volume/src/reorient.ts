/** Permutes and flips voxel axes without resampling: every voxel keeps its world position and value. */
import { type Axes, axesOf, axesOfCode } from './orientation.ts';
import type { Affine, LabelVolume, MaskVolume, Shape3, Volume } from './volume.ts';

interface Permutation {
  /** For each output axis, the input axis it reads. */
  readonly from: readonly [number, number, number];
  /** For each output axis, whether it runs against the input axis. */
  readonly flip: readonly [boolean, boolean, boolean];
}

function permutationTo(current: Axes, wanted: Axes): Permutation {
  const one = (k: 0 | 1 | 2) => {
    const from = current.findIndex((axis) => axis.world === wanted[k].world);
    return { from, flip: current[from].sign !== wanted[k].sign };
  };
  const [x, y, z] = [one(0), one(1), one(2)];
  return { from: [x.from, y.from, z.from], flip: [x.flip, y.flip, z.flip] };
}

function permuteAffine(a: Affine, shape: Shape3, { from, flip }: Permutation): Affine {
  const out = [...a];
  for (let row = 0; row < 3; row++) {
    let offset = a[row * 4 + 3];
    for (let k = 0; k < 3; k++) {
      const step = a[row * 4 + from[k]];
      out[row * 4 + k] = flip[k] ? -step : step;
      if (flip[k]) offset += step * (shape[from[k]] - 1);
    }
    out[row * 4 + 3] = offset;
  }
  return out;
}

/**
 * The same image with its voxel axes along `code` (default the canonical `RAS`), as nibabel's `as_closest_canonical`.
 * The result shares nothing with the input; back with `reorient(result, orientationOf(original.affine))`.
 * @throws IMAGE_GEOMETRY when the affine is singular or the code is none.
 */
export function reorient<T extends Volume | LabelVolume | MaskVolume>(image: T, code = 'RAS'): T {
  const permutation = permutationTo(axesOf(image.affine), axesOfCode(code));
  const { from, flip } = permutation;
  const [nx, ny, nz] = image.shape;
  const shape: Shape3 = [image.shape[from[0]], image.shape[from[1]], image.shape[from[2]]];
  const strides = [1, nx, nx * ny];
  const step = [0, 1, 2].map((k) => (flip[k] ? -strides[from[k]] : strides[from[k]]));
  const start = [0, 1, 2].reduce((sum, k) => sum + (flip[k] ? strides[from[k]] * (shape[k] - 1) : 0), 0);
  const frameLength = nx * ny * nz;
  const frames = 'frames' in image ? image.frames : 1;
  const data = image.data.slice();
  let target = 0;
  for (let t = 0; t < frames; t++) {
    for (let k = 0; k < shape[2]; k++) {
      for (let j = 0; j < shape[1]; j++) {
        let source = t * frameLength + start + k * step[2] + j * step[1];
        for (let i = 0; i < shape[0]; i++, source += step[0]) data[target++] = image.data[source];
      }
    }
  }
  return { ...image, shape, affine: permuteAffine(image.affine, image.shape, permutation), data };
}
