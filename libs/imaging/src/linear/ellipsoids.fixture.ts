/** A head of ellipsoids whose value is known at every point, so that a test can paint it on any grid in any pose. */
import { type Affine, applyAffine, invertAffine, type Shape3, type Vec3, type Volume } from '@engram/volume';

/** Centre and half axes in mm, and the contrasts of the two images painted from it. */
const PARTS: readonly { readonly at: Vec3; readonly half: Vec3; readonly t1: number; readonly pet: number }[] = [
  { at: [0, 0, 0], half: [76, 94, 82], t1: 60, pet: 0.15 },
  { at: [0, 0, 6], half: [68, 84, 66], t1: 20, pet: 0.08 },
  { at: [0, 2, 8], half: [62, 78, 58], t1: 75, pet: 1 },
  { at: [-26, 4, 10], half: [26, 60, 40], t1: 110, pet: 0.4 },
  { at: [27, 2, 11], half: [25, 58, 41], t1: 110, pet: 0.4 },
  { at: [0, 8, 14], half: [12, 30, 12], t1: 25, pet: 0.08 },
  { at: [0, -50, -34], half: [44, 26, 22], t1: 78, pet: 0.9 },
  { at: [22, 78, -8], half: [12, 12, 12], t1: 40, pet: 0.2 },
  { at: [-40, 40, -10], half: [10, 14, 12], t1: 95, pet: 1.3 },
];

/** Width of the smooth edges, mm. */
const EDGE = 4;

/** Value at a point of the head's own space. */
export function headValue([x, y, z]: Vec3, contrast: 't1' | 'pet'): number {
  let value = 0;
  for (const part of PARTS) {
    const r = Math.hypot(
      (x - part.at[0]) / part.half[0],
      (y - part.at[1]) / part.half[1],
      (z - part.at[2]) / part.half[2],
    );
    const inside = 1 / (1 + Math.exp(((r - 1) * Math.min(...part.half)) / (EDGE / 2)));
    value += (part[contrast] - value) * inside;
  }
  return value;
}

/** The head in the pose `toImage` (head RAS mm → image RAS mm) on a grid. */
export function paintHead(shape: Shape3, affine: Affine, toImage: Affine, contrast: 't1' | 'pet'): Volume {
  const toHead = invertAffine(toImage);
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  let at = 0;
  for (let k = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++)
      for (let i = 0; i < shape[0]; i++) {
        data[at++] = headValue(applyAffine(toHead, applyAffine(affine, [i, j, k])), contrast);
      }
  return { shape, affine, frames: 1, data };
}

/** Mean distance between two matrices over the brain, mm. */
export function meanDistance(a: Affine, b: Affine): number {
  let sum = 0;
  let count = 0;
  for (let x = -60; x <= 60; x += 20)
    for (let y = -60; y <= 60; y += 20)
      for (let z = -40; z <= 60; z += 20) {
        const [p, q] = [applyAffine(a, [x, y, z]), applyAffine(b, [x, y, z])];
        sum += Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
        count++;
      }
  return sum / count;
}

/** Degrees about x, y, z and a shift in mm. */
export function pose([ax, ay, az]: Vec3, shift: Vec3, scale: Vec3 = [1, 1, 1]): Affine {
  const [cx, cy, cz, sx, sy, sz] = [Math.cos, Math.sin].flatMap((f) => [ax, ay, az].map((d) => f((d * Math.PI) / 180)));
  const rows = [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ];
  return [...rows.flatMap((row, r) => [...row.map((v, c) => v * scale[c]), shift[r]]), 0, 0, 0, 1];
}
