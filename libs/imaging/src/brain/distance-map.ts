/** Exact Euclidean distance in mm (Felzenszwalb & Huttenlocher 2012: lower envelope of parabolas, one axis after the other). */
import type { Shape3, Vec3 } from '@engram/volume';

/**
 * Distance from every voxel's centre to the nearest voxel whose `set` equals `target` (0 there); Infinity when there is none.
 * `spacing`: voxel size in mm, x, y, z. Beyond the image nothing counts as part of the set.
 */
export function distanceMap(set: Uint8Array, shape: Shape3, spacing: Vec3, target: 0 | 1): Float32Array {
  const [nx, ny, nz] = shape;
  const out = new Float32Array(set.length);
  for (let i = 0; i < out.length; i++) out[i] = (set[i] !== 0 ? 1 : 0) === target ? 0 : Number.POSITIVE_INFINITY;
  const longest = Math.max(nx, ny, nz);
  const work: Envelope = {
    site: new Int32Array(longest),
    from: new Float64Array(longest + 1),
    height: new Float64Array(longest),
  };
  const tile = new Float64Array(tileWidth * longest);
  const line = (row: number, n: number) => tile.subarray(row * n, (row + 1) * n);
  for (let start = 0; start < out.length; start += nx) {
    const cut = line(0, nx);
    for (let i = 0; i < nx; i++) cut[i] = out[start + i]!;
    if (pass(cut, spacing[0], work)) out.set(cut, start);
  }
  // Along y and z neighbours lie far apart in memory: sixteen lines at a time use each cache line once.
  const strided = (start: number, stride: number, n: number, step: number) => {
    for (let x = 0; x < nx; x += tileWidth) {
      const width = Math.min(tileWidth, nx - x);
      for (let i = 0; i < n; i++) {
        const from = start + i * stride + x;
        for (let w = 0; w < width; w++) tile[w * n + i] = out[from + w]!;
      }
      for (let w = 0; w < width; w++) pass(line(w, n), step, work);
      for (let i = 0; i < n; i++) {
        const to = start + i * stride + x;
        for (let w = 0; w < width; w++) out[to + w] = tile[w * n + i]!;
      }
    }
  };
  for (let z = 0; z < nz; z++) strided(z * ny * nx, nx, ny, spacing[1]);
  for (let y = 0; y < ny; y++) strided(y * nx, nx * ny, nz, spacing[2]);
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(out[i]!);
  return out;
}

const tileWidth = 16;

interface Envelope {
  readonly site: Int32Array;
  readonly from: Float64Array;
  readonly height: Float64Array;
}

/** Squared distances along one line, in place; false when nothing changes. */
function pass(line: Float64Array, step: number, { site, from, height }: Envelope): boolean {
  const n = line.length;
  let zeros = 0;
  let infinite = 0;
  for (let i = 0; i < n; i++) {
    if (line[i] === 0) zeros++;
    else if (line[i] === Number.POSITIVE_INFINITY) infinite++;
  }
  if (zeros === n || infinite === n) return false;
  const square = step * step;
  let sites = 0;
  for (let i = 0; i < n; i++) {
    const f = line[i]!;
    if (f === Number.POSITIVE_INFINITY) continue;
    let cross = Number.NEGATIVE_INFINITY;
    while (sites > 0) {
      const s = site[sites - 1]!;
      cross = (f - line[s]! + square * (i * i - s * s)) / (2 * square * (i - s));
      if (cross > from[sites - 1]!) break;
      sites--;
    }
    if (sites === 0) cross = Number.NEGATIVE_INFINITY;
    site[sites] = i;
    from[sites] = cross;
    sites++;
  }
  // Heights are overwritten from the left: keep those of the sites apart.
  for (let k = 0; k < sites; k++) height[k] = line[site[k]!]!;
  let k = 0;
  for (let i = 0; i < n; i++) {
    while (k < sites - 1 && from[k + 1]! < i) k++;
    const d = i - site[k]!;
    line[i] = height[k]! + square * d * d;
  }
  return true;
}
