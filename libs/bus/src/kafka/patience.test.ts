import { EngramError } from '@engram/errors';
import { expect, test } from 'vitest';
import { patiently, upstreamFailed } from './patience.ts';

const failing = (times: number) => {
  let calls = 0;
  return async () => {
    if (++calls <= times) throw new Error(`try ${calls}`);
    return calls;
  };
};

test('it is tried until it succeeds, and each failure is told', async () => {
  const told: unknown[] = [];
  expect(await patiently(failing(2), { onError: (error) => told.push(error) })).toBe(3);
  expect(told.map(String)).toEqual(['Error: try 1', 'Error: try 2']);
});

test('it ends with the last failure when the patience does, or when nobody wants it any more', async () => {
  await expect(patiently(failing(9), { patienceMs: 150 })).rejects.toThrow('try 2');
  await expect(patiently(failing(9), { stopped: () => true })).rejects.toThrow('try 1');
});

test('a wrong setting is not tried again', async () => {
  let calls = 0;
  const wrong = async () => {
    calls++;
    throw new EngramError('CONFIG_INVALID', 'two numbers');
  };
  await expect(patiently(wrong)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(calls).toBe(1);
});

test('of several errors in one the first is told', () => {
  const inner = new AggregateError([new Error('connection refused'), new Error('again')], 'metadata failed');
  const error = upstreamFailed('no answer', new AggregateError([inner], 'listing failed'));
  expect(error).toMatchObject({ code: 'UPSTREAM_FAILED', message: 'no answer: connection refused' });
  expect(upstreamFailed('no answer', error)).toBe(error);
});
