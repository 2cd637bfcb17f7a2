/** How close a result is to a known truth: overlap, volume and displacement. */
import { type Affine, applyAffine, type Vec3 } from '@engram/volume';

/** Dice (1945): 2|A∩B| / (|A|+|B|), of the voxels where each test holds; 1 when both are empty. */
export function dice(length: number, inA: (at: number) => boolean, inB: (at: number) => boolean): number {
  let a = 0;
  let b = 0;
  let both = 0;
  for (let at = 0; at < length; at++) {
    const x = inA(at);
    const y = inB(at);
    a += x ? 1 : 0;
    b += y ? 1 : 0;
    both += x && y ? 1 : 0;
  }
  return a + b === 0 ? 1 : (2 * both) / (a + b);
}

/** Dice of each label that both maps hold, and their mean. */
export function labelDice(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  labels: readonly number[],
): { readonly mean: number; readonly of: ReadonlyMap<number, number> } {
  const inA = new Map<number, number>();
  const inB = new Map<number, number>();
  const both = new Map<number, number>();
  const count = (map: Map<number, number>, key: number) => map.set(key, (map.get(key) ?? 0) + 1);
  for (let at = 0; at < a.length; at++) {
    count(inA, a[at]);
    count(inB, b[at]);
    if (a[at] === b[at]) count(both, a[at]);
  }
  const of = new Map(
    labels
      .filter((label) => inA.has(label) && inB.has(label))
      .map((label) => [label, (2 * (both.get(label) ?? 0)) / ((inA.get(label) ?? 0) + (inB.get(label) ?? 0))] as const),
  );
  return { mean: mean([...of.values()]), of };
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Linear between order statistics, as numpy's default; `q` from 0 to 1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** |a - truth| / truth in percent. */
export const percentError = (a: number, truth: number): number => (100 * Math.abs(a - truth)) / Math.abs(truth);

/** Distance in mm between where two transforms (RAS mm to RAS mm) take each point. */
export function pointErrors(a: Affine, b: Affine, points: readonly Vec3[]): number[] {
  return points.map((point) => {
    const [x, y, z] = applyAffine(a, point);
    const [u, v, w] = applyAffine(b, point);
    return Math.hypot(x - u, y - v, z - w);
  });
}
