import type { Shape } from '../device.ts';
import type { Kernel, Values } from './shader.ts';

/** Parameters of a kernel that works along one axis. */
export const axisParameters: Kernel['parameters'] = { stride: 'i32', length: 'i32', radius: 'i32' };

/** WGSL: this voxel's place `c` on its line, and the line's first voxel `start`. */
export const onLine = /* wgsl */ `
  let c = (i / p.stride) % p.length;
  let start = i - c * p.stride;`;

export const axisValues = (shape: Shape, axis: number, radius: number): Values => ({
  stride: [1, shape[0], shape[0] * shape[1]][axis],
  length: shape[axis],
  radius,
});
