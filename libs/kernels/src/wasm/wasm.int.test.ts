import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { conformance } from '../conformance.ts';
import type { Device, Field, Shape } from '../device.ts';
import { openDevice } from '../open-device.ts';

conformance('wasm, 1 thread', () => openDevice({ backend: 'wasm', threads: 1 }));
conformance('wasm, 3 threads', () => openDevice({ backend: 'wasm', threads: 3 }));

/** One iteration of what registration does, on a volume large enough to be spread. */
async function iteration(device: Device): Promise<Float32Array[]> {
  const shape: Shape = [61, 50, 43];
  const n = shape[0] * shape[1] * shape[2];
  const wave = (k: number) =>
    device.upload(Float32Array.from({ length: n }, (_, i) => Math.sin(i * k) + Math.cos(i * k * 7.3)));
  const field = (): Field => [device.alloc(n), device.alloc(n), device.alloc(n)];
  const [fixed, moving, warped] = [wave(0.011), wave(0.013), device.alloc(n)];
  const [u, force, m, v, step] = [[wave(0.003), wave(0.007), wave(0.009)] as const, field(), field(), field(), field()];
  device.kernels.warp(moving, u, shape, warped);
  const metric = await device.kernels.lncc(fixed, warped, null, shape, 2, 0.1, force);
  for (const g of force) device.kernels.gaussian(g, shape, [1.7, 1.7, 1.7], g);
  await device.kernels.adam(force, m, v, 1, { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, limit: 0.5 }, step);
  device.kernels.compose(step, u, shape, force);
  device.kernels.jacobian(force, shape, warped);
  const { min, max, sum } = await device.kernels.reduce(warped, n);
  const most = await device.kernels.maxNorm(force, n);
  const downloads = await Promise.all([...force, warped].map((b) => device.download(b)));
  return [...downloads, Float32Array.of(metric, min, max, sum, most)];
}

test('results are the same, bit for bit, for 1, 2 and 5 threads', async () => {
  const results = [];
  for (const threads of [1, 2, 5]) {
    const device = await openDevice({ backend: 'wasm', threads });
    results.push(await iteration(device));
    await device.close();
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test('the ceiling is kept with a coded error, and freed memory is used again', async () => {
  const device = await openDevice({ backend: 'wasm', threads: 1, maxMemoryMb: 8 });
  for (let round = 0; round < 20; round++) {
    const kept = [1, 2, 3].map(() => device.alloc(500_000));
    for (const buffer of round % 2 ? kept : kept.reverse()) buffer.dispose();
  }
  expect(device.memory().peak).toBeLessThan(8 * 2 ** 20);
  expect(() => device.alloc(3_000_000)).toThrow(
    expect.objectContaining({ code: 'DEVICE_OUT_OF_MEMORY', retryable: true }),
  );
  expect(device.alloc(1_900_000).length).toBe(1_900_000);
  await device.close();
});

test('an open device keeps no process alive', () => {
  const entry = new URL('../index.ts', import.meta.url).href;
  const program = `const { openDevice } = await import(${JSON.stringify(entry)});
    const device = await openDevice({ backend: 'wasm', threads: 2 });
    device.kernels.gaussian(device.alloc(64000), [40, 40, 40], [1, 1, 1], device.alloc(64000));
    console.log('done');`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 60_000,
    encoding: 'utf8',
  });
  expect(child.stderr).toBe('');
  expect(child.stdout.trim()).toBe('done');
  expect(child.status).toBe(0);
});
