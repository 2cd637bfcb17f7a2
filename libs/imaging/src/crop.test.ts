import { expect, test } from 'vitest';
import { boxOf, cropInto, uncropInto } from './crop.ts';

test('a box widened beyond the image comes back to its own place', () => {
  const shape = [4, 3, 2] as const;
  const data = Uint8Array.from({ length: 24 }, (_, i) => (i === 5 || i === 19 ? 7 : 0));
  const box = boxOf(data, shape, [2, 1, 3])!;
  expect(box).toEqual({ low: [-1, 0, -3], shape: [7, 3, 8] });
  const cut = cropInto(data, shape, box, new Uint8Array(7 * 3 * 8));
  expect(cut.reduce((a, b) => a + b, 0)).toBe(14);
  expect(uncropInto(cut, box, shape, new Uint8Array(24))).toEqual(data);
});

test('an empty set has no box', () => {
  expect(boxOf(new Uint8Array(8), [2, 2, 2], [1, 1, 1])).toBeNull();
});
