import { expect, test } from 'vitest';
import { normaliseIntensity } from './normalise-intensity.ts';

test('the 99th percentile of what is positive becomes 1, whatever the scanner calls it', () => {
  const data = Float32Array.from({ length: 20_000 }, (_, i) => (i < 10_000 ? -5 : (i - 9_999) * 3));
  const out = normaliseIntensity(data, 'fixed');
  expect(out[9_999 + 9_900]).toBeCloseTo(1, 2);
  expect(out[0]).toBe(0);
});

test('NaN and infinity become 0 and do not set the scale', () => {
  const out = normaliseIntensity(Float32Array.of(1, 1, Number.NaN, Number.POSITIVE_INFINITY), 'moving');
  expect([...out.slice(2)]).toEqual([0, 0]);
  expect(out[0]).toBeCloseTo(1, 3);
});

test('an image without signal is refused by name', () => {
  expect(() => normaliseIntensity(new Float32Array(8), 'moving')).toThrow(
    expect.objectContaining({ code: 'IMAGE_EMPTY', field: 'moving' }),
  );
});
