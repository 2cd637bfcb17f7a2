import type { Device } from '@engram/kernels';
import { type DisplacementField, invertAffine, type MaskVolume } from '@engram/volume';

export interface Consistency {
  readonly mean: number;
  readonly p95: number;
  readonly max: number;
}

/**
 * How far a fixed point comes back from where it went, mm: |u(x) + v(x + u(x))| over the mask's voxels (all without one)
 * whose way leads inside the grid of `inverse`.
 */
export function inverseConsistency(
  forward: DisplacementField,
  inverse: DisplacementField,
  mask: MaskVolume | undefined,
  device: Device,
): Promise<Consistency> {
  return device.scope(async () => {
    const [nx, ny, nz] = forward.shape;
    const chosen: number[] = [];
    for (let i = 0; i < nx * ny * nz; i++) if (!mask || mask.data[i] > 0) chosen.push(i);
    const points = new Float32Array(3 * chosen.length);
    const [a, m] = [forward.affine, invertAffine(inverse.affine)];
    for (let c = 0; c < chosen.length; c++) {
      const i = chosen[c];
      const [h, j, k] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
      const x = a[0] * h + a[1] * j + a[2] * k + a[3] + forward.x[i];
      const y = a[4] * h + a[5] * j + a[6] * k + a[7] + forward.y[i];
      const z = a[8] * h + a[9] * j + a[10] * k + a[11] + forward.z[i];
      points[c] = m[0] * x + m[1] * y + m[2] * z + m[3];
      points[chosen.length + c] = m[4] * x + m[5] * y + m[6] * z + m[7];
      points[2 * chosen.length + c] = m[8] * x + m[9] * y + m[10] * z + m[11];
    }
    const at = device.upload(points);
    const sampled = device.alloc(chosen.length);
    const sample = (component: Float32Array) =>
      device.scope(async () => {
        device.kernels.samplePoints(device.upload(component), inverse.shape, at, sampled, Number.NaN);
        return device.download(sampled);
      });
    const [x, y, z] = [await sample(inverse.x), await sample(inverse.y), await sample(inverse.z)];
    const errors = new Float32Array(chosen.length);
    let count = 0;
    for (let c = 0; c < chosen.length; c++) {
      const i = chosen[c];
      const error = Math.hypot(forward.x[i] + x[c], forward.y[i] + y[c], forward.z[i] + z[c]);
      if (!Number.isNaN(error)) errors[count++] = error;
    }
    if (count === 0) return { mean: 0, p95: 0, max: 0 };
    const sorted = errors.subarray(0, count).sort();
    const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
    return { mean, p95: sorted[Math.floor(0.95 * (count - 1))], max: sorted[count - 1] };
  });
}
