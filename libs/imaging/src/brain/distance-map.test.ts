import { expect, test } from 'vitest';
import { distanceMap } from './distance-map.ts';

test('distances equal the minimum over all pairs, with voxels of any shape', () => {
  const shape = [7, 6, 5] as const;
  const spacing = [1, 0.7, 2.5] as const;
  const set = Uint8Array.from({ length: 210 }, (_, i) => ((i * 7919) % 23 === 0 ? 1 : 0));
  const at = (i: number) => [i % 7, Math.floor(i / 7) % 6, Math.floor(i / 42)] as const;
  for (const target of [0, 1] as const) {
    const map = distanceMap(set, shape, spacing, target);
    for (let i = 0; i < set.length; i++) {
      let best = Number.POSITIVE_INFINITY;
      for (let j = 0; j < set.length; j++) {
        if (set[j] !== target) continue;
        const [a, b] = [at(i), at(j)];
        best = Math.min(best, Math.hypot(...[0, 1, 2].map((k) => (a[k]! - b[k]!) * spacing[k]!)));
      }
      expect(map[i]).toBeCloseTo(best, 5);
    }
  }
});

test('without a target every distance is infinite', () => {
  expect(distanceMap(new Uint8Array(8), [2, 2, 2], [1, 1, 1], 1)).toEqual(
    new Float32Array(8).fill(Number.POSITIVE_INFINITY),
  );
});
