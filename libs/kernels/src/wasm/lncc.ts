import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';

/** Rows of a tile, as in kernels/box.ts. */
const TILE = 32;

export const lncc =
  (machine: Machine): Kernels['lncc'] =>
  async (fixed, moving, mask, shape, radius, epsilon, force) => {
    const [nx, ny, nz] = shape;
    const n = size(shape);
    const f = machine.pointer(fixed, n);
    const m = machine.pointer(moving, n);
    const within = mask ? machine.pointer(mask, n) : 0;
    const g = machine.pointers(force, n);
    const row = shape[0] * 4;
    const width = 2 * radius + 1;
    const scratch = (sums: number) =>
      3 * row + row * (TILE + 2 * radius) + radius * 8 + 512 + width * sums * (row * TILE + 64);
    // Extents as in kernels/extents.ts: of the mask, and of what the two passes need for it.
    const rows = ny * nz * 8;
    return machine.temporary(6 * rows, (extents) => {
      const [own, wanted, along, forced, forcedWanted, forcedAlong] = [0, 1, 2, 3, 4, 5].map((k) => extents + k * rows);
      const widen = (table: number, output: number, rx: number, ry: number, rz: number) =>
        machine.dispatch('widenExtents', [table, output, rx, ry, rz, ...shape], nz, { voxels: n });
      machine.dispatch('extents', [within, own, nx, ny], nz, { voxels: n });
      widen(own, wanted, 0, 0, radius);
      widen(wanted, along, 0, radius, 0);
      widen(along, forced, radius, 0, 0);
      widen(forced, forcedWanted, 0, 0, radius);
      widen(forcedWanted, forcedAlong, 0, radius, 0);
      // p, q and c of every window, then two float64 a plane.
      return machine.temporary(3 * (n * 4 + 64) + nz * 16, (windows) => {
        const p = windows;
        const q = p + n * 4 + 64;
        const c = q + n * 4 + 64;
        // float64 must not straddle what a volume of an odd number of voxels leaves.
        const partials = Math.ceil((c + n * 4 + 64) / 16) * 16;
        return sums(partials, [p, q, c], [own, wanted, along], [forced, forcedWanted, forcedAlong]);
      });
    });

    function sums(
      partials: number,
      windows: readonly number[],
      ofSums: readonly number[],
      ofForce: readonly number[],
    ): number {
      machine.writeDoubles(partials, new Array<number>(2 * nz).fill(0));
      // Each chunk repeats 2 * radius planes, so few.
      const few = { voxels: n, chunks: 2 };
      const common = [...shape, radius];
      machine.dispatch('lnccSums', [f, m, within, ...ofSums, ...windows, partials, ...common, epsilon], nz, {
        ...few,
        scratch: scratch(5),
      });
      machine.dispatch('lnccForce', [f, m, ...ofForce, ...windows, ...g, ...common], nz, {
        ...few,
        scratch: scratch(3),
      });
      const found = machine.readDoubles(partials, 2 * nz);
      let total = 0;
      let centres = 0;
      for (let z = 0; z < nz; z++) {
        total += found[2 * z];
        centres += found[2 * z + 1];
      }
      return centres > 0 ? total / centres : 0;
    }
  };
