import { expect, test } from 'vitest';
import type { Device } from './device.ts';
import { openDevice } from './open-device.ts';
import { expectSameAnswers } from './same-answers.ts';

test('a device that computes as the specification does passes', async () => {
  const device = await openDevice({ backend: 'scalar' });
  await expectSameAnswers(device);
  expect(device.memory().bytes).toBe(0);
});

test.each([
  ['smooths by a hundredth too much', 1.01],
  ['gives no number', Number.NaN],
])('a device that %s is refused', async (_what, gain) => {
  const honest = await openDevice({ backend: 'scalar' });
  const wrong: Device = {
    ...honest,
    kernels: {
      ...honest.kernels,
      compose: (a, b, shape, output) => {
        honest.kernels.compose(a, b, shape, output);
        honest.kernels.axpby(gain, output[1], 0, output[1]);
      },
    },
  };
  await expect(expectSameAnswers(wrong)).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
});
