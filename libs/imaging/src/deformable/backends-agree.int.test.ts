import { openDevice, type Shape } from '@engram/kernels';
import { useSwiftshader } from '@engram/testing';
import { IDENTITY, type Volume } from '@engram/volume';
import { expect, test } from 'vitest';
import { registerDeformable } from './register-deformable.ts';

const SHAPE: Shape = [34, 32, 30];

/** A textured ball whose voxels are `shift` away from where they were. */
function ball(shift: (x: number, y: number, z: number) => number): Volume {
  const [nx, ny, nz] = SHAPE;
  const data = Float32Array.from({ length: nx * ny * nz }, (_, i) => {
    const [x0, y0, z0] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    const [x, y, z] = [x0 - 17 + shift(x0, y0, z0), y0 - 16, z0 - 15];
    if (Math.hypot(x, y, z) > 13) return 0;
    return 100 + 30 * Math.sin(x / 1.6 + Math.cos(y / 4)) + 30 * Math.sin(y / 1.8 + z / 6) + 30 * Math.cos(z / 1.7);
  });
  return { shape: SHAPE, affine: IDENTITY, frames: 1, data };
}

const missing = useSwiftshader();

test.skipIf(missing)(`webgpu finds the deformation that wasm finds${missing ? ` (${missing})` : ''}`, async () => {
  const fixed = ball(() => 0);
  const moving = ball((_x, y, z) => 1.5 * Math.sin(y / 7) + z / 30);
  const register = async (backend: 'wasm' | 'webgpu') => {
    const device = await openDevice({ backend, threads: 1, maxMemoryMb: 512 });
    const result = await registerDeformable(fixed, moving, { initial: IDENTITY, iterations: [20, 8] }, device);
    expect(device.memory().bytes).toBe(0);
    await device.close();
    return result;
  };
  const [wasm, webgpu] = [await register('wasm'), await register('webgpu')];

  const apart = (['x', 'y', 'z'] as const).flatMap((k) =>
    Array.from(wasm.forward[k], (value, i) => Math.abs(value - webgpu.forward[k][i])),
  );
  // In voxels. SwiftShader rounds as the processor does and stays 5e-6 from it; a GPU may fuse products and sums, and
  // 28 iterations carry that on. Registration itself is right to some tenths.
  expect(apart.reduce((sum, value) => sum + value, 0) / apart.length).toBeLessThan(1e-3);
  expect(Math.max(...apart)).toBeLessThan(2e-2);
  for (const [i, value] of wasm.metric.entries()) expect(Math.abs(value - webgpu.metric[i])).toBeLessThan(1e-4);
  for (const level of webgpu.report.convergence) expect(level.last).toBeGreaterThan(level.first);
  expect(webgpu.report.foldedVoxels).toBe(0);
  // Not two that did nothing.
  expect(Math.max(...webgpu.forward.x)).toBeGreaterThan(0.4);
});
