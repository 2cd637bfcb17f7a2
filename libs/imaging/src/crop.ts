/** Cutting the box that matters out of a large image, so that slow steps see only the brain. */
import {
  applyAffine,
  type Grid,
  type LabelVolume,
  type MaskVolume,
  type Shape3,
  type Vec3,
  type Volume,
  voxelSize,
} from '@engram/volume';

export interface Box {
  readonly low: Vec3;
  readonly shape: Shape3;
}

/** Smallest box that holds the non-zero voxels, widened by `margin` voxels on each side, beyond the image if need be; null for an empty set. */
export function boxOf(set: ArrayLike<number>, shape: Shape3, margin: Vec3): Box | null {
  const [nx, ny, nz] = shape;
  const low = [nx, ny, nz];
  const high = [-1, -1, -1];
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        if (!set[i]) continue;
        if (x < low[0]!) low[0] = x;
        if (x > high[0]!) high[0] = x;
        if (y < low[1]!) low[1] = y;
        if (y > high[1]!) high[1] = y;
        if (z < low[2]!) low[2] = z;
        high[2] = z;
      }
    }
  }
  if (high[0]! < 0) return null;
  const size = (a: 0 | 1 | 2) => high[a]! - low[a]! + 1 + 2 * margin[a];
  return {
    low: [low[0]! - margin[0], low[1]! - margin[1], low[2]! - margin[2]],
    shape: [size(0), size(1), size(2)],
  };
}

/** The box around a mask and `marginMm` more on each side, cut off at the image's faces; the whole image for an empty mask. */
export function boxAround(mask: MaskVolume, marginMm: number): Box {
  const { shape } = mask;
  const [mx, my, mz] = voxelSize(mask.affine).map((size) => Math.ceil(marginMm / size));
  const wide = boxOf(mask.data, shape, [mx, my, mz]);
  if (wide === null) return { low: [0, 0, 0], shape };
  const low = (a: 0 | 1 | 2) => Math.max(0, wide.low[a]);
  const size = (a: 0 | 1 | 2) => Math.min(shape[a], wide.low[a] + wide.shape[a]) - low(a);
  return { low: [low(0), low(1), low(2)], shape: [size(0), size(1), size(2)] };
}

/** Where the voxels of the box lie. */
export function gridOfBox({ affine: a }: Grid, { low, shape }: Box): Grid {
  const [x, y, z] = applyAffine(a, low);
  return { shape, affine: [a[0], a[1], a[2], x, a[4], a[5], a[6], y, a[8], a[9], a[10], z, 0, 0, 0, 1] };
}

/** The box of an image of one frame, in its place in the world. */
export function cropVolume(image: Volume, box: Box): Volume {
  const data = new Float32Array(box.shape[0] * box.shape[1] * box.shape[2]);
  return { ...gridOfBox(image, box), frames: 1, data: cropInto(image.data, image.shape, box, data) };
}

/** The box of a mask, in its place in the world. */
export function cropMask(mask: MaskVolume, box: Box): MaskVolume {
  const data = new Uint8Array(box.shape[0] * box.shape[1] * box.shape[2]);
  return { ...gridOfBox(mask, box), data: cropInto(mask.data, mask.shape, box, data) };
}

/** The box of a label map, in its place in the world. */
export function cropLabels(labels: LabelVolume, box: Box): LabelVolume {
  const data = new Uint16Array(box.shape[0] * box.shape[1] * box.shape[2]);
  return { ...gridOfBox(labels, box), data: cropInto(labels.data, labels.shape, box, data) };
}

/** Copies the box out of `data` into `out`, which keeps its values where the box lies beyond the image. */
export function cropInto<T extends Float32Array | Uint16Array | Uint8Array>(
  data: T,
  shape: Shape3,
  box: Box,
  out: T,
): T {
  forEachRow(shape, box, (inImage, inBox, count) => out.set(data.subarray(inImage, inImage + count), inBox));
  return out;
}

/** Writes a box back into `out`, an array of the whole image. */
export function uncropInto<T extends Float32Array | Uint16Array | Uint8Array>(
  data: T,
  box: Box,
  shape: Shape3,
  out: T,
): T {
  forEachRow(shape, box, (inImage, inBox, count) => out.set(data.subarray(inBox, inBox + count), inImage));
  return out;
}

/** Visits the part of each row of x that the box and the image share. */
function forEachRow(shape: Shape3, box: Box, visit: (inImage: number, inBox: number, count: number) => void): void {
  const [bx, by, bz] = box.shape;
  const first = Math.max(0, -box.low[0]);
  const count = Math.min(bx, shape[0] - box.low[0]) - first;
  if (count <= 0) return;
  for (let z = 0; z < bz; z++) {
    const iz = z + box.low[2];
    if (iz < 0 || iz >= shape[2]) continue;
    for (let y = 0; y < by; y++) {
      const iy = y + box.low[1];
      if (iy < 0 || iy >= shape[1]) continue;
      visit((iz * shape[1] + iy) * shape[0] + first + box.low[0], (z * by + y) * bx + first, count);
    }
  }
}
