import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { pause } from './pause.ts';

test('a signal that is waited for again and again gathers no listeners', async () => {
  const { signal } = new AbortController();
  for (let turn = 0; turn < 20; turn++) await pause(1, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('the signal ends a pause, also one that was given before', async () => {
  const controller = new AbortController();
  const paused = pause(60_000, controller.signal);
  controller.abort();
  await paused;
  await pause(60_000, controller.signal);
});
