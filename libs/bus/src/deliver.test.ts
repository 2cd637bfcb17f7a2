import { EngramError } from '@engram/errors';
import { expect, test } from 'vitest';
import { DEFAULT_RETRY_DELAYS_MS, retryDelay } from './deliver.ts';
import { partitionOf } from './partition.ts';

test('what may pass is tried after 5 s, 1 min, twice 5 min and 15 min, then no more', () => {
  const cause = new EngramError('UPSTREAM_FAILED', 'x');
  const waits = [1, 2, 3, 4, 5, 6].map((attempt) => retryDelay(cause, attempt, DEFAULT_RETRY_DELAYS_MS));
  expect(waits).toEqual([5_000, 60_000, 300_000, 300_000, 900_000, undefined]);
});

test('what cannot pass is not tried again', () => {
  expect(retryDelay(new EngramError('EVENT_INVALID', 'x'), 1, DEFAULT_RETRY_DELAYS_MS)).toBeUndefined();
});

// FNV-1a test vectors of draft-eastlake-fnv: "" is 811c9dc5, "a" is e40c292c, "foobar" is bf9cf968.
test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('the hash of %j is the published one', (key, hash) => {
  expect(partitionOf(key, 2 ** 32)).toBe(hash);
});

test('keys spread over the partitions', () => {
  const counts = new Array<number>(8).fill(0);
  for (let i = 0; i < 8000; i++) counts[partitionOf(`patient-${i}`, 8)]++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(200);
});
