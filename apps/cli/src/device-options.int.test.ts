import { useSwiftshader } from '@engram/testing';
import { expect, test } from 'vitest';
import { deviceOptions } from './device-options.ts';

const missing = useSwiftshader();
const reason = missing ?? (process.env['ENGRAM_TEST_GPU'] === '1' ? 'asked for a real GPU' : null);

test('auto leaves the choice to the engine, cpu means the fastest CPU backend', async () => {
  expect(await deviceOptions({ threads: '3' })).toEqual({ threads: 3 });
  expect(await deviceOptions({ device: 'cpu' })).toEqual({ backend: 'wasm' });
});

test('a device that is not there is refused with what is', async () => {
  await expect(deviceOptions({ device: 'quantum' })).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    message: expect.stringMatching(/no quantum device: .*available: .*wasm, scalar/),
  });
});

test.skipIf(reason)(`software is webgpu when named, and never gpu${reason ? ` (${reason})` : ''}`, async () => {
  expect(await deviceOptions({ device: 'webgpu' })).toEqual({ backend: 'webgpu' });
  await expect(deviceOptions({ device: 'gpu' })).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    message: expect.stringContaining('is software'),
  });
});
