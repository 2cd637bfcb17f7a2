import { EngramError } from '@engram/errors';
import type { Device, Shape } from './device.ts';
import { openScalarDevice } from './scalar/device.ts';
import { trialIteration } from './trial-iteration.ts';

const SHAPE: Shape = [13, 11, 9];
const MAX_BYTES = 2 ** 26;
/** Share of the largest value: some hundred times what float32 explains, and far less than what a wrong kernel gives. */
const TOLERANCE = 1e-3;

/**
 * That a device answers a small problem as the specification does: a driver's compiler is part of every kernel.
 * @throws DEVICE_UNAVAILABLE when it does not.
 */
export async function expectSameAnswers(device: Device): Promise<void> {
  const specification = openScalarDevice(MAX_BYTES);
  const expected = await trialIteration(specification, SHAPE);
  await specification.close();
  const found = await trialIteration(device, SHAPE);
  const wrong = expected.findIndex((values, k) => !close(found[k], values));
  if (wrong < 0) return;
  throw new EngramError(
    'DEVICE_UNAVAILABLE',
    `${device.info.name} answers a test problem wrongly (result ${wrong + 1} of ${expected.length}): update its driver, or take the wasm device`,
  );
}

function close(found: Float32Array, expected: Float32Array): boolean {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return found.every((value, i) => Math.abs(value - expected[i]) <= TOLERANCE * largest);
}
