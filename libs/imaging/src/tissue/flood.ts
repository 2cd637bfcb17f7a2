/** Marker-controlled watershed on the thickness of a set (Meyer 1994). */
const levels = 64;

/**
 * Grows the labels through the set, thickest voxels first, so that two labels meet where the channel between them is
 * thinnest. In place; 0 in `label` is unlabelled. `thickness` is the distance to the outside of the set, mm.
 */
export function flood(
  label: Uint8Array,
  set: Uint8Array,
  thickness: Float32Array,
  shape: readonly [number, number, number],
): void {
  const [nx, ny, nz] = shape;
  let thickest = 0;
  for (let i = 0; i < set.length; i++) if (set[i] && thickness[i]! < 1e6) thickest = Math.max(thickest, thickness[i]!);
  const queues: number[][] = Array.from({ length: levels }, () => []);
  const levelOf = (i: number) => Math.floor((1 - Math.min(thickness[i]! / (thickest + 1e-6), 1)) * (levels - 1));
  for (let i = 0; i < label.length; i++) if (label[i]) queues[levelOf(i)]!.push(i);
  let level = 0;
  const heads = new Uint32Array(levels);
  while (level < levels) {
    const queue = queues[level]!;
    if (heads[level]! >= queue.length) {
      level++;
      continue;
    }
    const i = queue[heads[level]!++]!;
    const x = i % nx;
    const y = Math.floor(i / nx) % ny;
    const z = Math.floor(i / (nx * ny));
    const reach = (inside: boolean, j: number) => {
      if (!inside || !set[j] || label[j]) return;
      label[j] = label[i]!;
      // A thicker voxel behind a neck belongs to whoever came through first: it joins the present level, never an earlier one.
      queues[Math.max(level, levelOf(j))]!.push(j);
    };
    reach(x > 0, i - 1);
    reach(x < nx - 1, i + 1);
    reach(y > 0, i - nx);
    reach(y < ny - 1, i + nx);
    reach(z > 0, i - nx * ny);
    reach(z < nz - 1, i + nx * ny);
  }
}
