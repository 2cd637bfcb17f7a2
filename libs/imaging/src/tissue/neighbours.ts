/** The voxels of a mask as a compact list, with their six face neighbours: what a Markov field runs on. */
import type { MaskVolume } from '@engram/volume';
import { voxelSize } from '@engram/volume';

export interface MaskGraph {
  /** Index into the image of each listed voxel, ascending. */
  readonly voxels: Uint32Array;
  /** Six list positions a voxel (-x, +x, -y, +y, -z, +z); -1 outside the mask. */
  readonly neighbours: Int32Array;
  /** Weight of each of the six directions: inverse distance, 1 for the finest axis. */
  readonly weights: readonly number[];
  /** List positions by parity of x + y + z: no two of one colour touch, so each half can be updated in any order. */
  readonly colours: readonly [Uint32Array, Uint32Array];
}

export function maskGraph(mask: MaskVolume): MaskGraph {
  const [nx, ny, nz] = mask.shape;
  const position = new Int32Array(mask.data.length).fill(-1);
  let count = 0;
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i]) position[i] = count++;
  const voxels = new Uint32Array(count);
  const neighbours = new Int32Array(6 * count).fill(-1);
  const colour = [new Uint32Array(count), new Uint32Array(count)] as const;
  const filled = [0, 0];
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        const at = position[i]!;
        if (at < 0) continue;
        voxels[at] = i;
        if (x > 0) neighbours[6 * at] = position[i - 1]!;
        if (x < nx - 1) neighbours[6 * at + 1] = position[i + 1]!;
        if (y > 0) neighbours[6 * at + 2] = position[i - nx]!;
        if (y < ny - 1) neighbours[6 * at + 3] = position[i + nx]!;
        if (z > 0) neighbours[6 * at + 4] = position[i - nx * ny]!;
        if (z < nz - 1) neighbours[6 * at + 5] = position[i + nx * ny]!;
        const parity = ((x + y + z) & 1) as 0 | 1;
        colour[parity][filled[parity]!++] = at;
      }
    }
  }
  const size = voxelSize(mask.affine);
  const finest = Math.min(...size);
  const weights = size.flatMap((s) => [finest / s, finest / s]);
  return { voxels, neighbours, weights, colours: [colour[0].slice(0, filled[0]), colour[1].slice(0, filled[1])] };
}
