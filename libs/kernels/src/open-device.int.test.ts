import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** As on a machine where the optional package did not install. */
const WITHOUT_WEBGPU = `import { registerHooks } from 'node:module';
  registerHooks({
    resolve: (name, context, next) => {
      if (name === 'webgpu') throw new Error('not installed');
      return next(name, context);
    },
  });`;

function runWithoutWebgpu(program: string): { stdout: string; stderr: string; status: number | null } {
  const entry = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  const hook = `data:text/javascript,${encodeURIComponent(WITHOUT_WEBGPU)}`;
  const code = `const { listDevices, openDevice } = await import(${entry}); ${program}`;
  return spawnSync(process.execPath, ['--import', hook, '--input-type=module', '-e', code], {
    timeout: 60_000,
    encoding: 'utf8',
  });
}

test('without the optional package the other devices are there, and auto takes wasm', () => {
  const { stdout, stderr, status } = runWithoutWebgpu(`
    const [webgpu, ...others] = await listDevices();
    const device = await openDevice();
    console.log(JSON.stringify({ webgpu, others: others.map(({ available }) => available), auto: device.info.backend }));
    await device.close();`);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    webgpu: {
      backend: 'webgpu',
      name: 'webgpu',
      available: false,
      software: false,
      reason: expect.stringContaining('webgpu is not installed'),
    },
    others: [true, true],
    auto: 'wasm',
  });
});

test('who names webgpu where there is none is told why', () => {
  const { stdout } = runWithoutWebgpu(`
    await openDevice({ backend: 'webgpu' }).catch(({ code, message }) => console.log(code, message));`);
  expect(stdout).toMatch(/^DEVICE_UNAVAILABLE .*webgpu is not installed/);
});
