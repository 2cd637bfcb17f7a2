/** Connected components of a mask. */
import type { MaskVolume } from '@engram/volume';
import { type Connectivity, neighbours } from './connectivity.ts';

export interface Components {
  /** 0 outside the mask, else 1 … sizes.length, numbered by their first voxel in memory order. */
  readonly labels: Int32Array;
  /** Voxels of component n + 1. */
  readonly sizes: readonly number[];
}

/** Numbers the parts of the mask that hang together. */
export function components(mask: MaskVolume, connectivity: Connectivity = 26): Components {
  const [nx, ny, nz] = mask.shape;
  const steps = neighbours(connectivity);
  const labels = new Int32Array(mask.data.length);
  const sizes: number[] = [];
  const stack: number[] = [];
  for (let seed = 0; seed < labels.length; seed++) {
    if (mask.data[seed] === 0 || labels[seed] !== 0) continue;
    const label = sizes.length + 1;
    let size = 0;
    labels[seed] = label;
    stack.push(seed);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      size++;
      const x = at % nx;
      const y = Math.floor(at / nx) % ny;
      const z = Math.floor(at / (nx * ny));
      for (const [dx, dy, dz] of steps) {
        if (x + dx < 0 || x + dx >= nx || y + dy < 0 || y + dy >= ny || z + dz < 0 || z + dz >= nz) continue;
        const to = at + (dz * ny + dy) * nx + dx;
        if (mask.data[to] === 0 || labels[to] !== 0) continue;
        labels[to] = label;
        stack.push(to);
      }
    }
    sizes.push(size);
  }
  return { labels, sizes };
}
