/**
 * What every backend must answer: each kernel against a float64 oracle written from its definition alone, on shapes that
 * divide by nothing, on axes of one voxel, on a single voxel and on none. A backend's test calls `conformance`.
 */
import { describe } from 'vitest';
import type { Device } from '../device.ts';
import { arithmetic } from './arithmetic.ts';
import { contract } from './contract.ts';
import { correlation } from './correlation.ts';
import { sampling } from './sampling.ts';
import { smoothing } from './smoothing.ts';
import { type Tolerances, underTest } from './under-test.ts';

/**
 * Tolerances: images are of order 1 and float32 has 6e-8 of precision. Sums of some ten weights: 1e-6. Interpolation at
 * coordinates up to 40, whose float32 spacing is 4e-6, times differences up to 2: 2e-5. LNCC divides differences of sums
 * of up to 125 products: 3e-4 of the largest force.
 */
export function conformance(
  name: string,
  open: () => Promise<Device>,
  tolerances: Tolerances = { correlation: 1e-6 },
): void {
  const backend = underTest(open, tolerances);
  describe(name, () => {
    for (const group of [smoothing, sampling, correlation, arithmetic, contract]) group(backend);
  });
}
