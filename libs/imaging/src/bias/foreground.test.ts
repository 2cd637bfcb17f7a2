import { expect, test } from 'vitest';
import { otsuThreshold, positivePercentile } from './foreground.ts';

test('the threshold falls between two clusters even with a few very bright voxels', () => {
  const data = Float32Array.from({ length: 2000 }, (_, i) => (i < 1000 ? 5 + (i % 5) : 100 + (i % 20)));
  data[0] = 1e6;
  expect(otsuThreshold(data)).toBeGreaterThan(9);
  expect(otsuThreshold(data)).toBeLessThan(100);
});

test('the percentile equals that of the sorted positive values, whatever their scale', () => {
  for (const scale of [1e-3, 1, 1e5]) {
    const data = Float32Array.from({ length: 5001 }, (_, i) => scale * ((i * 7919) % 5001));
    const sorted = data.filter((v) => v > 0).sort();
    for (const q of [0.5, 0.9, 0.99]) {
      expect(positivePercentile(data, q) / sorted[Math.round(q * sorted.length)]!).toBeCloseTo(1, 2);
    }
  }
});

test('an image of zeros or of NaN has no threshold', () => {
  expect(otsuThreshold(new Float32Array(10))).toBe(0);
  expect(otsuThreshold(new Float32Array(10).fill(Number.NaN))).toBe(0);
});
