import type { Kernels, Shape } from '../device.ts';
import { gaussianWeights } from '../gaussian-weights.ts';
import { type Machine, size } from './machine.ts';

export const gaussian =
  (machine: Machine): Kernels['gaussian'] =>
  (input, shape, sigma, output) => {
    const n = size(shape);
    gaussianVolume(machine, machine.pointer(input, n), shape, sigma, machine.pointer(output, n));
  };

/** Along x and y plane by plane, then along z; the volume between lies in temporary memory, so in place is allowed. */
export function gaussianVolume(
  machine: Machine,
  input: number,
  shape: Shape,
  sigma: readonly [number, number, number],
  output: number,
): void {
  const [nx, ny, nz] = shape;
  const voxels = size(shape);
  const weights = sigma.map(gaussianWeights);
  const radii = weights.map((half) => half.length - 1);
  const most = Math.max(...radii) + 1;
  const row = nx * 4;
  machine.temporary(voxels * 4, (between) =>
    machine.temporary(3 * most * 4, (start) => {
      const at = [start, start + most * 4, start + most * 8];
      for (let axis = 0; axis < 3; axis++) machine.writeFloats(at[axis], weights[axis]);
      machine.dispatch('gaussianXy', [input, between, at[0], radii[0], at[1], radii[1], nx, ny], nz, {
        voxels,
        scratch: most * 8 + row + radii[0] * 8 + 128 + row * ny,
      });
      machine.dispatch('gaussianZ', [between, output, at[2], radii[2], nx, ny, nz], ny, { voxels, scratch: most * 8 });
    }),
  );
}
