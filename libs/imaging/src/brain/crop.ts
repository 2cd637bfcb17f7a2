/** Cutting the box that matters out of a large image, so that slow steps see only the brain. */
import type { Shape3, Vec3 } from '@engram/volume';

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

/** Copies the box out of `data` into `out`, which keeps its values where the box lies beyond the image. */
export function cropInto<T extends Float32Array | Uint8Array>(data: T, shape: Shape3, box: Box, out: T): T {
  forEachRow(shape, box, (inImage, inBox, count) => out.set(data.subarray(inImage, inImage + count), inBox));
  return out;
}

/** Writes a box back into `out`, an array of the whole image. */
export function uncropInto<T extends Float32Array | Uint8Array>(data: T, box: Box, shape: Shape3, out: T): T {
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
