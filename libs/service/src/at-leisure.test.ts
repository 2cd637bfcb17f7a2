import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atLeisure } from './at-leisure.ts';

test('work that takes longer is done less often, and no more once it is stopped', async () => {
  const stop = new AbortController();
  let [short, long] = [0, 0];
  const working = [
    atLeisure(async () => void short++, 5, stop.signal),
    atLeisure(() => sleep(20).then(() => void long++), 5, stop.signal),
  ];
  await sleep(300);
  stop.abort();
  await Promise.all(working);
  expect(short).toBeGreaterThan(5);
  expect(long).toBe(1);
  const before = short;
  await sleep(30);
  expect(short).toBe(before);
});
