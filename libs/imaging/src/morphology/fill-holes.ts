/** Filling of enclosed holes. */
import type { MaskVolume } from '@engram/volume';
import { type Connectivity, neighbours } from './connectivity.ts';
import { binary } from './spread.ts';

/**
 * Adds the background that cannot be reached from the image's faces. `connectivity` is that of the background: with the
 * default 6, a hole joined to the outside through a corner or an edge only is filled.
 */
export function fillHoles(mask: MaskVolume, connectivity: Connectivity = 6): MaskVolume {
  const [nx, ny, nz] = mask.shape;
  const steps = neighbours(connectivity);
  const data = binary(mask.data);
  const reached = 2;
  const stack: number[] = [];
  const visit = (at: number) => {
    if (data[at] !== 0) return;
    data[at] = reached;
    stack.push(at);
  };
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, at++)
        if (x === 0 || y === 0 || z === 0 || x === nx - 1 || y === ny - 1 || z === nz - 1) visit(at);
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const x = at % nx;
    const y = Math.floor(at / nx) % ny;
    const z = Math.floor(at / (nx * ny));
    for (const [dx, dy, dz] of steps) {
      if (x + dx < 0 || x + dx >= nx || y + dy < 0 || y + dy >= ny || z + dz < 0 || z + dz >= nz) continue;
      visit(at + (dz * ny + dy) * nx + dx);
    }
  }
  for (let i = 0; i < data.length; i++) data[i] = data[i] === reached ? 0 : 1;
  return { shape: mask.shape, affine: mask.affine, data };
}
