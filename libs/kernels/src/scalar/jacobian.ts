import type { Shape } from '../device.ts';
import type { ScalarField } from './scalar-field.ts';

export function jacobian(u: ScalarField, shape: Shape, output: Float32Array): void {
  const [nx, ny, nz] = shape;
  const strides = [1, nx, nx * ny];
  const count = nx * ny * nz;
  for (let i = 0; i < count; i++) {
    const derivative = (component: number, axis: number) => {
      const n = shape[axis];
      if (n < 2) return 0;
      const at = Math.floor(i / strides[axis]) % n;
      const after = at < n - 1 ? 1 : 0;
      const before = at > 0 ? 1 : 0;
      const difference = u[component][i + after * strides[axis]] - u[component][i - before * strides[axis]];
      return difference / (after + before);
    };
    const [xx, xy, xz] = [1 + derivative(0, 0), derivative(0, 1), derivative(0, 2)];
    const [yx, yy, yz] = [derivative(1, 0), 1 + derivative(1, 1), derivative(1, 2)];
    const [zx, zy, zz] = [derivative(2, 0), derivative(2, 1), 1 + derivative(2, 2)];
    output[i] = xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx);
  }
}
