import type { Device, Field, Shape } from '@engram/kernels';

export interface Band {
  /** Width of the Gaussian beyond which a detail belongs to the next band, voxels. */
  readonly width: number;
  /** The size of detail that counts as noise, voxels: the wider a band, the less noise is left in it. */
  readonly threshold: number;
}

/** The energy of a band is averaged over this many of its widths. */
const NEIGHBOURHOOD = 1;

/**
 * Takes out of `u` (voxels, in place) the details that images cannot tell from their own noise. u is split into bands,
 * b_k = u_k - G_k u_k with u_(k+1) = G_k u_k; each is multiplied by its Wiener share max(0, 1 - t^2 / E), E the mean of |b_k|^2
 * around the voxel. Noise in flat tissue roughens a field by a fraction of a voxel everywhere; anatomy that differs
 * between heads moves by more, and is kept.
 *
 * @param bands finest first; none leaves `u` as it is.
 */
export function shrinkDetails(device: Device, u: Field, shape: Shape, bands: readonly Band[]): Promise<void> {
  return device.scope(async () => {
    if (bands.length === 0) return;
    const { kernels } = device;
    const n = shape[0] * shape[1] * shape[2];
    const field = (): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];
    let [rest, smooth] = [field(), field()];
    const energy = device.alloc(n);
    for (const k of [0, 1, 2] as const) {
      device.copy(u[k], rest[k]);
      device.fill(u[k], 0);
    }
    for (const { width, threshold } of bands) {
      for (const k of [0, 1, 2] as const) {
        kernels.gaussian(rest[k], shape, [width, width, width], smooth[k]);
        kernels.axpby(-1, smooth[k], 1, rest[k]);
      }
      kernels.squaredNorm(rest, n, energy);
      const around = NEIGHBOURHOOD * width;
      kernels.gaussian(energy, shape, [around, around, around], energy);
      for (const k of [0, 1, 2] as const) kernels.addAttenuated(rest[k], energy, threshold, u[k]);
      [rest, smooth] = [smooth, rest];
    }
    for (const k of [0, 1, 2] as const) kernels.axpby(1, rest[k], 1, u[k]);
  });
}
