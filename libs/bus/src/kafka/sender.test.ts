import { silentLogger } from '@engram/telemetry';
import { expect, test } from 'vitest';
import type { OutgoingRecord } from './client.ts';
import { outage } from './patience.ts';
import { openSender } from './sender.ts';

const record = (key: string): OutgoingRecord => ({
  topic: 't',
  partition: 0,
  key,
  value: '',
  headers: {},
  timestamp: 0,
});
const quiet = outage(silentLogger, 'x');

test('one request at a time, in the order of the calls; who calls meanwhile shares the next', async () => {
  const requests: string[][] = [];
  let gate = Promise.withResolvers<void>();
  const sender = openSender(
    {
      async send(records) {
        requests.push(records.map(({ key }) => key));
        await gate.promise;
      },
    },
    quiet,
  );
  const first = sender.send([record('a')], 1_000);
  const others = ['b', 'c', 'd'].map((key) => sender.send([record(key)], 1_000));
  await Promise.resolve();
  expect(requests).toEqual([['a']]);
  gate.resolve();
  await first;
  gate = Promise.withResolvers();
  gate.resolve();
  await Promise.all(others);
  expect(requests).toEqual([['a'], ['b', 'c', 'd']]);
});

test('what one request cannot hold goes in several, in order', async () => {
  const requests: string[][] = [];
  const sender = openSender({ send: async (records) => void requests.push(records.map(({ key }) => key)) }, quiet);
  const large = (key: string) => ({ ...record(key), value: 'x'.repeat(400_000) });
  await sender.send(['a', 'b', 'c', 'd', 'e'].map(large), 1_000);
  expect(requests).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

test('what waits behind a request that is given up is refused with it, so that nothing overtakes it', async () => {
  const requests: string[][] = [];
  const sender = openSender(
    {
      async send(records) {
        requests.push(records.map(({ key }) => key));
        throw new Error('no broker');
      },
    },
    quiet,
  );
  const calls = [sender.send([record('a')], 50), sender.send([record('b')], 60_000)];
  const ends = await Promise.allSettled(calls);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(requests.flat()).not.toContain('b');
});

test('a request that fails is sent again as it was, before anything behind it', async () => {
  const requests: string[][] = [];
  const sender = openSender(
    {
      async send(records) {
        requests.push(records.map(({ key }) => key));
        if (requests.length === 1) throw new Error('no leader');
      },
    },
    quiet,
  );
  await Promise.all([sender.send([record('a')], 1_000), sender.send([record('b')], 1_000)]);
  expect(requests).toEqual([['a'], ['a'], ['b']]);
});

test('after a failure what one partition has taken is not sent again because another one cannot take its own', async () => {
  const stored: string[] = [];
  let failures = 0;
  // As a broker that starts: one partition has no leader for a while, and a request is answered as a whole.
  const send = async (records: readonly OutgoingRecord[]) => {
    stored.push(...records.filter(({ partition }) => partition !== 1 || failures > 3).map(({ key }) => key));
    if (failures <= 3 && records.some(({ partition }) => partition === 1)) {
      failures++;
      throw new Error('no leader');
    }
  };
  const sender = openSender({ send }, quiet);
  const of = (partition: number, key: string) => ({ ...record(key), partition });
  await sender.send([of(0, 'a1'), of(1, 'b1'), of(2, 'c1'), of(0, 'a2'), of(1, 'b2')], 10_000);
  expect(stored.slice(0, 3)).toEqual(['a1', 'c1', 'a2']);
  expect(stored.slice(3)).toEqual(['a1', 'a2', 'c1', 'b1', 'b2']);
});

test('a broker that stays away is UPSTREAM_FAILED when the patience ends, and a closed bus BUS_CLOSED', async () => {
  const sender = openSender({ send: async () => Promise.reject(new Error('no broker')) }, quiet);
  await expect(sender.send([record('a')], 150)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
  await sender.close();
  await expect(sender.send([record('a')], 150)).rejects.toMatchObject({ code: 'BUS_CLOSED' });
});
