import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { conformance } from '../conformance.ts';
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
