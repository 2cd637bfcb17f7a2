import { expect, test } from 'vitest';
import { fourierInPlace } from './fourier.ts';
import { lookUp, sharpenHistogram } from './sharpen-histogram.ts';

test('the fast transform equals the defining sum', () => {
  const n = 16;
  const re = Float64Array.from({ length: n }, (_, i) => Math.cos(i * i));
  const im = Float64Array.from({ length: n }, (_, i) => Math.sin(3 * i));
  const wantRe = new Float64Array(n);
  const wantIm = new Float64Array(n);
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++) {
      const a = (-2 * Math.PI * k * i) / n;
      wantRe[k]! += re[i]! * Math.cos(a) - im[i]! * Math.sin(a);
      wantIm[k]! += re[i]! * Math.sin(a) + im[i]! * Math.cos(a);
    }
  const gotRe = re.slice();
  const gotIm = im.slice();
  fourierInPlace(gotRe, gotIm, false);
  for (let k = 0; k < n; k++) {
    expect(gotRe[k]).toBeCloseTo(wantRe[k]!, 10);
    expect(gotIm[k]).toBeCloseTo(wantIm[k]!, 10);
  }
  fourierInPlace(gotRe, gotIm, true);
  for (let i = 0; i < n; i++) expect(gotRe[i]).toBeCloseTo(re[i]!, 12);
});

test('two blurred peaks are pulled towards their centres', () => {
  // Peaks at 1 and 2, each spread like the bias: sharpening must bring 0.1 off a centre closer to it.
  const spread = [-0.1, -0.05, 0, 0.05, 0.1];
  const values = Float32Array.from({ length: 5000 }, (_, i) => 1 + (i % 2) + spread[i % 5]!);
  const table = sharpenHistogram(values, { bins: 200, fwhm: 0.15, wienerNoise: 0.01 });
  for (const centre of [1, 2]) {
    expect(Math.abs(lookUp(table, centre + 0.09) - centre)).toBeLessThan(0.075);
    expect(Math.abs(lookUp(table, centre - 0.09) - centre)).toBeLessThan(0.075);
  }
});

test('a constant image is left as it is', () => {
  const table = sharpenHistogram(new Float32Array(500).fill(3), { bins: 200, fwhm: 0.15, wienerNoise: 0.01 });
  expect(lookUp(table, 3)).toBe(3);
});
