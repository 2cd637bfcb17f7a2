import type { Shape } from './device.ts';

/** Every factor-th voxel from the first. */
export function downsampledShape([nx, ny, nz]: Shape, factor: number): Shape {
  return [Math.ceil(nx / factor), Math.ceil(ny / factor), Math.ceil(nz / factor)];
}
