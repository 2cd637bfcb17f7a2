import type { Device, Field, Shape } from '@engram/kernels';

/** A determinant below this counts as a fold to be: the grid only samples the map. */
const SMALLEST = 0.02;
const MOST_ROUNDS = 40;

export interface Unfolded {
  readonly jacobianMin: number;
  /** Voxels whose surroundings had to be smoothed. */
  readonly repaired: number;
}

/**
 * Smooths `u` (voxels, in place) around voxels where the map folds, and nowhere else, with a growing Gaussian until none
 * does. It ends: a displacement smoothed without bound is constant, and a constant one does not fold.
 */
export function unfold(device: Device, u: Field, shape: Shape): Promise<Unfolded> {
  return device.scope(async () => {
    const { kernels } = device;
    const n = shape[0] * shape[1] * shape[2];
    const determinant = device.alloc(n);
    let repaired = 0;
    for (let round = 0; ; round++) {
      kernels.jacobian(u, shape, determinant);
      const { min } = await kernels.reduce(determinant, n);
      if (min > SMALLEST || round === MOST_ROUNDS) return { jacobianMin: min, repaired };
      const found = await device.download(determinant);
      const folds = found.map((value) => (value > SMALLEST ? 0 : 1));
      repaired = Math.max(
        repaired,
        folds.reduce((sum, value) => sum + value, 0),
      );
      const sigma = 1 + 0.5 * round;
      await smoothAround(device, u, shape, folds, sigma);
    }
  });
}

/** u <- u + w (Gaussian(u) - u), w = 1 near a fold and 0 beyond three sigma of it. */
function smoothAround(device: Device, u: Field, shape: Shape, folds: Float32Array, sigma: number): Promise<void> {
  return device.scope(async () => {
    const weight = device.upload(folds);
    device.kernels.gaussian(weight, shape, [2 * sigma, 2 * sigma, 2 * sigma], weight);
    // One folded voxel alone must weigh 1 where it lies, and its neighbours nearly so.
    const gain = 2 * (2 * sigma * Math.sqrt(2 * Math.PI)) ** 3;
    const w = (await device.download(weight)).map((value) => Math.min(1, gain * value));
    const smooth = device.alloc(folds.length);
    for (const component of u) {
      device.kernels.gaussian(component, shape, [sigma, sigma, sigma], smooth);
      const [before, after] = [await device.download(component), await device.download(smooth)];
      const blended = device.upload(before.map((value, i) => value + w[i] * (after[i] - value)));
      device.copy(blended, component);
      blended.dispose();
    }
  });
}
