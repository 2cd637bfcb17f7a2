import type { Kernels } from '../device.ts';
import { type Machine, size } from './machine.ts';
import { kernel } from './shader.ts';

/** `gradient_NAME(i, at, n)`: central differences, one-sided at the border, 0 along an axis of one voxel. */
const gradient = (component: string): string => /* wgsl */ `
fn gradient_${component}(i: i32, at: vec3i, n: vec3i) -> vec3f {
  let step = vec3i(1, n.x, n.x * n.y);
  let after = select(vec3i(0), step, at < n - 1);
  let before = select(vec3i(0), step, at > vec3i(0));
  let difference = vec3f(
    ${component}[i + after.x] - ${component}[i - before.x],
    ${component}[i + after.y] - ${component}[i - before.y],
    ${component}[i + after.z] - ${component}[i - before.z],
  );
  let inner = (after > vec3i(0)) & (before > vec3i(0));
  return select(difference * select(vec3f(1), vec3f(0.5), inner), vec3f(0), n < vec3i(2));
}`;

const jacobianKernel = kernel('jacobian', {
  read: ['ux', 'uy', 'uz'],
  write: ['output'],
  functions: [gradient('ux'), gradient('uy'), gradient('uz')],
  body: /* wgsl */ `
  let x = gradient_ux(i, at, n) + vec3f(1, 0, 0);
  let y = gradient_uy(i, at, n) + vec3f(0, 1, 0);
  let z = gradient_uz(i, at, n) + vec3f(0, 0, 1);
  output[i] = dot(x, cross(y, z));`,
});

export const jacobian =
  (machine: Machine): Kernels['jacobian'] =>
  (u, shape, output) => {
    const n = size(shape);
    machine.run(jacobianKernel, shape, [...machine.buffers(u, n), machine.buffer(output, n)]);
  };
