import type { Shape } from '../device.ts';
import { isInside, trilinear } from './trilinear.ts';

export function samplePoints(
  image: Float32Array,
  shape: Shape,
  points: Float32Array,
  output: Float32Array,
  outside: number | null = null,
): void {
  const count = Math.floor(points.length / 3);
  for (let i = 0; i < count; i++) {
    const [x, y, z] = [points[i], points[count + i], points[2 * count + i]];
    output[i] = outside === null || isInside(shape, x, y, z) ? trilinear(image, shape, x, y, z) : outside;
  }
}
