/** A group whose members come, go and are killed while events flow, on a real broker. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { sample } from '../conformance.ts';
import { killedConsumerConformance } from '../killed-consumer.conformance.ts';
import type { Delivery } from '../port.ts';
import { CLIENTS, KAFKA_URL, playground } from './under-test.fixture.ts';

const KEYS = [...'bcdefghijklm'];
const types = ['run.requested.v1'];
const patience = { timeout: 60_000, interval: 20 };

describe.skipIf(!KAFKA_URL).each(CLIENTS)('members of a group, %s, at KAFKA_URL', (client) => {
  killedConsumerConformance(`kafka, ${client}`, 60_000, async () => {
    const { url, open, close } = playground(client);
    return { bus: await open(), url, close };
  });

  test('one that joins and leaves while events flow loses none, and no key is ever with two at once', async () => {
    const { open, close } = playground(client);
    const group = 'engram.members';
    const [first, second] = [await open(), await open()];
    const seen: { who: string; key: string; version: number }[] = [];
    const underWay = new Set<string>();
    let overlaps = 0;
    const handler =
      (who: string) =>
      async ({ event }: Delivery) => {
        const key = event.partitionkey;
        if (underWay.has(key)) overlaps++;
        underWay.add(key);
        await sleep(5);
        underWay.delete(key);
        seen.push({ who, key: key[0] ?? '', version: event.subjectversion });
      };
    let published = 0;
    let flowing = true;
    const flow = (async () => {
      while (flowing) {
        published++;
        await first.publish(KEYS.map((key) => sample(key, published)));
        await sleep(20);
      }
    })();

    await first.subscribe({ group, types, handler: handler('first') });
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(50), patience);
    const joined = await second.subscribe({ group, types, handler: handler('second') });
    await vi.waitFor(() => expect(seen.filter(({ who }) => who === 'second').length).toBeGreaterThan(50), patience);
    await joined.close();
    const bySecond = seen.filter(({ who }) => who === 'second').length;
    const before = seen.length;
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(before + 100), patience);
    flowing = false;
    await flow;
    await vi.waitFor(async () => expect((await first.lag(group)).events).toBe(0), patience);

    expect(seen.filter(({ who }) => who === 'second')).toHaveLength(bySecond);
    expect(overlaps).toBe(0);
    const all = Array.from({ length: published }, (_, i) => i + 1);
    for (const key of KEYS) {
      const versions = seen.filter((it) => it.key === key).map(({ version }) => version);
      expect([...new Set(versions)]).toEqual(all);
    }
    await close();
  });
});

test.skipIf(!KAFKA_URL)(
  'members on either library share a group, so that one can be changed for the other',
  async () => {
    const one = playground('kafkajs');
    const other = playground('platformatic', one.prefix);
    const [first, second] = [await one.open(), await other.open()];
    const group = 'engram.both';
    const seen: { who: string; key: string; version: number }[] = [];
    const handler =
      (who: string) =>
      async ({ event }: Delivery) =>
        void seen.push({ who, key: event.partitionkey[0] ?? '', version: event.subjectversion });
    await first.subscribe({ group, types, handler: handler('first') });
    await second.subscribe({ group, types, handler: handler('second') });
    await first.publish(KEYS.map((key) => sample(key, 1)));
    await second.publish(KEYS.map((key) => sample(key, 2)));
    await vi.waitFor(() => expect(seen).toHaveLength(2 * KEYS.length), patience);
    expect(new Set(seen.map(({ who }) => who))).toEqual(new Set(['first', 'second']));
    for (const key of KEYS) {
      const its = seen.filter((it) => it.key === key);
      expect(its.map(({ version }) => version)).toEqual([1, 2]);
      expect(new Set(its.map(({ who }) => who)).size).toBe(1);
    }
    await other.close();
    await one.close();
  },
);
