import type { Shape } from '@engram/kernels';
import { expect, test } from 'vitest';
import type { VoxelField } from './compose-affine-field.ts';
import { newtonInverse } from './newton-inverse.ts';

function paint([nx, ny, nz]: Shape, of: (x: number, y: number, z: number) => readonly number[]): VoxelField {
  const u = [0, 1, 2].map(() => new Float32Array(nx * ny * nz));
  for (let k = 0, i = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let h = 0; h < nx; h++, i++) for (const [w, value] of of(h, j, k).entries()) u[w][i] = value;
  return [u[0], u[1], u[2]];
}

/** u at a point by eight weighted voxels, written anew. */
function trilinear(u: VoxelField, [nx, ny, nz]: Shape, point: readonly number[]): number[] {
  const clamped = point.map((v, a) => Math.max(0, Math.min([nx, ny, nz][a] - 1, v)));
  const low = clamped.map((v, a) => Math.min(Math.floor(v), Math.max(0, [nx, ny, nz][a] - 2)));
  return u.map((values) => {
    let sum = 0;
    for (let corner = 0; corner < 8; corner++) {
      const bits = [corner & 1, (corner >> 1) & 1, corner >> 2];
      const weight = bits.reduce((w, bit, a) => w * (bit ? clamped[a] - low[a] : 1 - clamped[a] + low[a]), 1);
      const [x, y, z] = bits.map((bit, a) => low[a] + bit);
      if (weight > 0) sum += weight * values[(z * ny + y) * nx + x];
    }
    return sum;
  });
}

/** Points that the map reaches, so that each has an answer. */
function targets(u: VoxelField, shape: Shape): { p: Float32Array; n: number } {
  const points: number[][] = [];
  for (let k = 0.3; k < shape[2]; k += 1.7)
    for (let j = 0.6; j < shape[1] - 1; j += 1.3)
      for (let h = 0.2; h < shape[0] - 1; h += 1.1) {
        const from = [h, j, Math.min(k, shape[2] - 1)];
        points.push(trilinear(u, shape, from).map((v, a) => v + from[a]));
      }
  return { p: Float32Array.from([0, 1, 2].flatMap((a) => points.map((q) => q[a]))), n: points.length };
}

test.each<[string, Shape, (x: number, y: number, z: number) => readonly number[]]>([
  [
    'a map that presses to a tenth and stretches to twice',
    [24, 20, 18],
    (x, y, z) => [2.6 * Math.sin(x / 2.9), 1.5 * Math.cos(y / 2.5 + x / 9), 0.8 * Math.sin(z / 3)],
  ],
  ['a field of one slice', [16, 14, 1], (x, y) => [1.4 * Math.sin(x / 2 + y / 7), Math.cos(y / 2), 0]],
])('%s is inverted to the tolerance, and only where it was asked', (_, shape, field) => {
  const u = paint(shape, field);
  const { p, n } = targets(u, shape);
  const x = p.slice();
  const chosen = Uint32Array.from({ length: n - 3 }, (__, i) => i);
  newtonInverse(u, shape, p, x, chosen, 0.01);
  const left = (i: number) => {
    const at = [x[i], x[n + i], x[2 * n + i]];
    return Math.hypot(...trilinear(u, shape, at).map((v, a) => v + at[a] - p[a * n + i]));
  };
  expect(Math.max(...Array.from(chosen, left))).toBeLessThan(0.011);
  for (const a of [0, 1, 2])
    expect(x.slice((a + 1) * n - 3, (a + 1) * n)).toEqual(p.slice((a + 1) * n - 3, (a + 1) * n));
  expect(Math.max(...Array.from({ length: 3 }, (__, i) => left(n - 3 + i)))).toBeGreaterThan(0.05);
});
