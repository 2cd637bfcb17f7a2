export function addAttenuated(x: Float32Array, energy: Float32Array, threshold: number, y: Float32Array): void {
  for (let i = 0; i < y.length; i++) {
    // So written that an energy of 0 gives 0 and one that is not a number spreads.
    const share = energy[i] <= threshold * threshold ? 0 : 1 - (threshold * threshold) / energy[i];
    y[i] += share * x[i];
  }
}
