import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { conformance } from '../conformance/index.ts';
import type { Device, Shape } from '../device.ts';
import { openDevice } from '../open-device.ts';
import { trialIteration } from '../trial-iteration.ts';

conformance('wasm, 1 thread', () => openDevice({ backend: 'wasm', threads: 1 }));
conformance('wasm, 3 threads', () => openDevice({ backend: 'wasm', threads: 3 }));

test('results are the same, bit for bit, for 1, 2 and 5 threads', async () => {
  const results = [];
  for (const threads of [1, 2, 5]) {
    const device = await openDevice({ backend: 'wasm', threads });
    // Large enough to be spread.
    results.push(await trialIteration(device, [61, 50, 43]));
    await device.close();
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test('what is empty is left out, and nothing else: a ball in one corner, by the scalar kernels', async () => {
  const shape: Shape = [45, 71, 38];
  const ball = (x: number, y: number, z: number) =>
    Math.hypot(x - 30, y - 52, z - 9) < 9 || (x === 0 && y === 0 && z === 37);
  const inBall = Float32Array.from({ length: 45 * 71 * 38 }, (_, i) =>
    ball(i % 45, Math.floor(i / 45) % 71, Math.floor(i / (45 * 71))) ? 1 : 0,
  );
  const wave = inBall.map((_, i) => Math.sin(i / 3) + Math.cos(i / 50));
  const other = wave.map((v, i) => v + Math.sin(i / 7));

  async function all(device: Device): Promise<Float32Array[]> {
    const [mask, fixed, moving] = [inBall, wave, other].map((data) => device.upload(data));
    const field = () => [device.alloc(wave.length), device.alloc(wave.length), device.alloc(wave.length)] as const;
    const [force, composed] = [field(), field()];
    const mean = await device.kernels.lncc(fixed, moving, mask, shape, 2, 0.1, force);
    for (const g of force) device.kernels.gaussian(g, shape, [2, 1, 3], g);
    device.kernels.compose(force, [moving, fixed, moving], shape, composed);
    const found = await Promise.all([...force, ...composed].map((buffer) => device.download(buffer)));
    await device.close();
    return [Float32Array.of(mean), ...found];
  }
  const expected = await all(await openDevice({ backend: 'scalar' }));
  const found = await all(await openDevice({ backend: 'wasm', threads: 2 }));
  for (const [k, values] of expected.entries()) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0);
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(found[k][i] - value)), 0);
    // float32 sums against float64 ones.
    expect(worst).toBeLessThan(1e-4 * largest);
    // Where there was nothing there still is: nothing is left over from another row.
    if (k > 0 && k < 4)
      expect(values.filter((value, i) => value === 0 && found[k][i] !== 0)).toEqual(new Float32Array());
  }
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
