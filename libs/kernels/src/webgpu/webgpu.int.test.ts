import { spawnSync } from 'node:child_process';
import { swiftshaderEnvironment, useSwiftshader } from '@engram/testing';
import { describe, expect, test } from 'vitest';
import { conformance } from '../conformance/index.ts';
import { listDevices, openDevice } from '../open-device.ts';
import { trialIteration } from '../trial-iteration.ts';
import { findAdapter } from './adapter.ts';
import { openAdapter } from './device.ts';

const missing = useSwiftshader();
const open = () => openDevice({ backend: 'webgpu', maxMemoryMb: 256 });

// WGSL promises quotients to 2.5 units of the last place, not half of one; a window's mean is one, and a variance of
// nearly 0 what it leaves of two large sums.
if (missing === null) conformance('webgpu', open, { correlation: 1e-5 });

describe.skipIf(missing)(`webgpu${missing === null ? '' : `: ${missing}`}`, () => {
  test('answers what wasm answers, and twice the same bit for bit', async () => {
    const results = [];
    for (const backend of ['wasm', 'webgpu', 'webgpu'] as const) {
      const device = await openDevice({ backend, threads: 1, maxMemoryMb: 256 });
      results.push(await trialIteration(device, [37, 30, 23]));
      await device.close();
    }
    const [wasm, first, second] = results;
    expect(second).toEqual(first);
    for (const [k, values] of wasm.entries()) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - first[k][i])), 0);
      expect(worst, `result ${k}`).toBeLessThan(1e-4 * largest);
    }
  });

  test('is listed with its adapter, and never taken by itself where it is software', async () => {
    const [listing] = await listDevices();
    expect(listing).toMatchObject({ backend: 'webgpu', available: true });
    expect(listing?.name).toMatch(/^webgpu \(.+\)$/);
    const device = await openDevice();
    expect(device.info.backend).toBe(listing?.software ? 'wasm' : 'webgpu');
    await device.close();
  });

  test('more commands than one submission holds, and more elements than one row of workgroups', async () => {
    const device = await open();
    const one = device.upload(Float32Array.of(1));
    const sum = device.alloc(1);
    for (let k = 0; k < 700; k++) device.kernels.axpby(1, one, 1, sum);
    expect(await device.download(sum)).toEqual(Float32Array.of(700));
    const n = 65_535 * 64 + 1000;
    const many = device.alloc(n);
    device.fill(many, 0.5);
    const extent = await device.kernels.reduce(many, n);
    expect(extent).toEqual({ min: 0.5, max: 0.5, sum: n / 2 });
    await device.close();
  });

  test('the ceiling is kept with a coded error, temporaries counted', async () => {
    const device = await openDevice({ backend: 'webgpu', maxMemoryMb: 2 });
    const refused = expect.objectContaining({ code: 'DEVICE_OUT_OF_MEMORY', retryable: true });
    expect(() => device.alloc(600_000)).toThrow(refused);
    const volume = device.alloc(250_000);
    expect(() => device.kernels.gaussian(volume, [250, 100, 10], [1, 1, 1], volume)).toThrow(refused);
    volume.dispose();
    expect(device.alloc(500_000).length).toBe(500_000);
    await device.close();
  });

  test('a device that is lost says so in every later call', async () => {
    const found = await findAdapter();
    if ('reason' in found) throw new Error(found.reason);
    let gpu: GPUDevice | undefined;
    const adapter: Pick<GPUAdapter, 'limits' | 'requestDevice'> = {
      limits: found.adapter.limits,
      requestDevice: async (descriptor) => {
        gpu = await found.adapter.requestDevice(descriptor);
        return gpu;
      },
    };
    const device = await openAdapter({ ...found, adapter }, 2 ** 20);
    const volume = device.upload(Float32Array.of(1, 2, 3));
    gpu?.destroy();
    const lost = expect.objectContaining({ code: 'DEVICE_LOST', retryable: true });
    await expect(device.download(volume)).rejects.toEqual(lost);
    expect(() => device.alloc(3)).toThrow(lost);
    expect(() => device.kernels.axpby(1, volume, 0, volume)).toThrow(lost);
    await device.close();
  });

  test('an open device keeps no process alive', () => {
    const entry = new URL('../index.ts', import.meta.url).href;
    const program = `const { openDevice } = await import(${JSON.stringify(entry)});
      const device = await openDevice({ backend: 'webgpu' });
      const one = device.upload(Float32Array.of(1));
      device.kernels.axpby(1, one, 0, one);
      console.log((await device.download(one))[0]);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 60_000,
      encoding: 'utf8',
      env: { ...process.env, ...(process.env['ENGRAM_TEST_GPU'] === '1' ? {} : swiftshaderEnvironment()) },
    });
    expect(child.stderr).toBe('');
    expect(child.stdout.trim()).toBe('1');
    expect(child.status).toBe(0);
  });
});
