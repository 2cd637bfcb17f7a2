/**
 * In-place radix-2 discrete Fourier transform of a complex sequence whose length is a power of two; the inverse is scaled
 * by 1/n. Enough for histograms of a few hundred bins (Cooley & Tukey 1965).
 */
export function fourierInPlace(re: Float64Array, im: Float64Array, inverse: boolean): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const r = re[i]!;
      const m = im[i]!;
      re[i] = re[j]!;
      im[i] = im[j]!;
      re[j] = r;
      im[j] = m;
    }
  }
  for (let half = 1; half < n; half *= 2) {
    const angle = ((inverse ? 1 : -1) * Math.PI) / half;
    for (let k = 0; k < half; k++) {
      const c = Math.cos(angle * k);
      const s = Math.sin(angle * k);
      for (let i = k; i < n; i += 2 * half) {
        const j = i + half;
        const r = re[j]! * c - im[j]! * s;
        const m = re[j]! * s + im[j]! * c;
        re[j] = re[i]! - r;
        im[j] = im[i]! - m;
        re[i]! += r;
        im[i]! += m;
      }
    }
  }
  if (inverse) {
    for (let i = 0; i < n; i++) {
      re[i]! /= n;
      im[i]! /= n;
    }
  }
}
