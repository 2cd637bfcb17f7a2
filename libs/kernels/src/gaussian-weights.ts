/**
 * Half of a symmetric FIR: the weight at distance 0, 1, … ceil(3 sigma), such that the whole sums to 1.
 * `sigma` in voxels; 0 gives the identity.
 */
export function gaussianWeights(sigma: number): Float32Array {
  const radius = sigma > 0 ? Math.ceil(3 * sigma) : 0;
  const half = Array.from({ length: radius + 1 }, (_, k) => (k === 0 ? 1 : Math.exp(-0.5 * (k / sigma) ** 2)));
  const total = half.reduce((sum, weight, k) => sum + (k === 0 ? weight : 2 * weight), 0);
  return Float32Array.from(half, (weight) => weight / total);
}
