/** The one loop under erosion and dilation: a value takes over the voxels that touch it, step after step. */
import type { Shape3 } from '@engram/volume';
import { type Connectivity, neighbours } from './connectivity.ts';

/**
 * Gives `value` (0 or 1) to every voxel that touches one which has it, `iterations` times, in place. Only the voxels won in
 * the last step are looked at in the next, so many iterations cost little more than one.
 * @param outside whether everything beyond the image counts as having `value`.
 */
export function spread(
  data: Uint8Array,
  shape: Shape3,
  value: 0 | 1,
  connectivity: Connectivity,
  iterations: number,
  outside: boolean,
): void {
  const [nx, ny, nz] = shape;
  const steps = neighbours(connectivity);
  const offsets = steps.map(([x, y, z]) => (z * ny + y) * nx + x);
  const touches = (x: number, y: number, z: number, at: number): boolean => {
    for (let n = 0; n < steps.length; n++) {
      const [dx, dy, dz] = steps[n];
      const inside = x + dx >= 0 && x + dx < nx && y + dy >= 0 && y + dy < ny && z + dz >= 0 && z + dz < nz;
      if (inside ? data[at + offsets[n]] === value : outside) return true;
    }
    return false;
  };
  // Most voxels are not at a border and need no look at where they are.
  const touchesWithin = (at: number): boolean => {
    for (let n = 0; n < offsets.length; n++) if (data[at + offsets[n]] === value) return true;
    return false;
  };
  let front: number[] = [];
  if (iterations > 0) {
    let at = 0;
    for (let z = 0; z < nz; z++)
      for (let y = 0; y < ny; y++) {
        const edge = z === 0 || z === nz - 1 || y === 0 || y === ny - 1;
        for (let x = 0; x < nx; x++, at++) {
          if (data[at] === value) continue;
          const border = edge || x === 0 || x === nx - 1;
          if (border ? touches(x, y, z, at) : touchesWithin(at)) front.push(at);
        }
      }
  }
  for (let step = 0; step < iterations && front.length > 0; step++) {
    for (const at of front) data[at] = value;
    if (step === iterations - 1) break;
    const next: number[] = [];
    // Marks a voxel as queued until it gets its value at the top of the next step.
    const queued = 2;
    for (const at of front) {
      const x = at % nx;
      const y = Math.floor(at / nx) % ny;
      const z = Math.floor(at / (nx * ny));
      for (let n = 0; n < steps.length; n++) {
        const [dx, dy, dz] = steps[n];
        if (x + dx < 0 || x + dx >= nx || y + dy < 0 || y + dy >= ny || z + dz < 0 || z + dz >= nz) continue;
        const to = at + offsets[n];
        if (data[to] === value || data[to] === queued) continue;
        data[to] = queued;
        next.push(to);
      }
    }
    front = next;
  }
}

/** A copy with every voxel other than 0 made 1. */
export function binary(data: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = data[i] > 0 ? 1 : 0;
  return out;
}
