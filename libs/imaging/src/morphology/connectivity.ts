/** Which voxels touch: 6 share a face, 18 a face or an edge, 26 a face, an edge or a corner. */
export type Connectivity = 6 | 18 | 26;

/** Steps to the neighbours, as [dx, dy, dz]. */
export function neighbours(connectivity: Connectivity): readonly (readonly [number, number, number])[] {
  const most = connectivity === 6 ? 1 : connectivity === 18 ? 2 : 3;
  const out: [number, number, number][] = [];
  for (let z = -1; z <= 1; z++)
    for (let y = -1; y <= 1; y++)
      for (let x = -1; x <= 1; x++) {
        const axes = Math.abs(x) + Math.abs(y) + Math.abs(z);
        if (axes > 0 && axes <= most) out.push([x, y, z]);
      }
  return out;
}
