import { expect, test } from 'vitest';
import { createChecks } from './checks.ts';

class GPUOutOfMemoryError extends Error {}
class GPUValidationError extends Error {}

/** A device whose scopes give these answers, in the order in which they end. */
function deviceAnswering(answers: (Error | null)[]): { device: GPUDevice; lose: (message: string) => void } {
  const { promise, resolve } = Promise.withResolvers<{ message: string }>();
  const device = {
    lost: promise,
    pushErrorScope: () => {},
    popErrorScope: async () => answers.shift() ?? null,
  };
  return { device: device as unknown as GPUDevice, lose: (message) => resolve({ message }) };
}

test('memory that the driver did not have is told with the next result, once', async () => {
  const { device } = deviceAnswering([null, new GPUOutOfMemoryError('no room')]);
  const checks = createChecks(device);
  checks.begin();
  checks.end();
  await expect(checks.settle()).rejects.toMatchObject({ code: 'DEVICE_OUT_OF_MEMORY', retryable: true });
  await checks.settle();
});

test('a refused command is a defect and names what the driver said', async () => {
  const { device } = deviceAnswering([new GPUValidationError('binding 3 is missing')]);
  const checks = createChecks(device);
  checks.begin();
  checks.end();
  await expect(checks.settle()).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining('binding 3 is missing'),
  });
});

test('a lost device is told at once, and explains every other failure', async () => {
  const { device, lose } = deviceAnswering([new GPUValidationError('device is gone')]);
  const checks = createChecks(device);
  checks.alive();
  checks.begin();
  checks.end();
  lose('the driver was reset');
  const lost = { code: 'DEVICE_LOST', retryable: true, message: expect.stringContaining('the driver was reset') };
  await expect(checks.settle()).rejects.toMatchObject(lost);
  expect(() => checks.alive()).toThrow(expect.objectContaining({ code: 'DEVICE_LOST' }));
  expect(await checks.coded(new Error('map failed'))).toMatchObject(lost);
});
