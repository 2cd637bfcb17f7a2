import type { Shape } from './device.ts';

/** From a voxel of `to` to one of `from`, when both grids span the same box edge to edge: x' = (x + 0.5) from/to - 0.5. */
export function resizeMatrix(from: Shape, to: Shape): readonly number[] {
  const scale = (axis: number) => from[axis] / to[axis];
  const shift = (axis: number) => 0.5 * scale(axis) - 0.5;
  return [scale(0), 0, 0, shift(0), 0, scale(1), 0, shift(1), 0, 0, scale(2), shift(2)];
}
