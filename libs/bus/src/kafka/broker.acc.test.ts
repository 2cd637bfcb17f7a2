/** What only a broker can bring: topics that others made, messages that others wrote, events that retention has dropped. */
import { openRecords } from '@engram/records';
import { describe, expect, test, vi } from 'vitest';
import { sample } from '../conformance.ts';
import { toKafkaHeaders } from '../kafka-headers.ts';
import type { Delivery } from '../port.ts';
import { relayOutbox } from '../relay-outbox.ts';
import { openKafkaBus } from './bus.ts';
import { CLIENTS, KAFKA_URL, otherClient, playground, withAdmin } from './under-test.fixture.ts';

const types = ['run.requested.v1'];
const group = 'engram.g';
const patience = { timeout: 60_000, interval: 20 };
const subjects =
  (seen: string[]) =>
  async ({ event }: Delivery) =>
    void seen.push(event.subject);

interface ForeignMessage {
  readonly key: string;
  readonly value: string | null;
  readonly headers?: Record<string, string>;
}

async function write(topic: string, messages: ForeignMessage[]): Promise<void> {
  const producer = otherClient().producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

describe.skipIf(!KAFKA_URL).each(CLIENTS)('on the broker at KAFKA_URL, %s', (client) => {
  test('the topics have the names of the contract, the partitions asked for, and one dead-letter topic a group', async () => {
    const { prefix, open, close } = playground(client);
    const bus = await open();
    const failing = { group, types, retryDelaysMs: [], handler: async () => Promise.reject(new Error('broken')) };
    await bus.subscribe(failing);
    await bus.publish([sample('b', 1)]);
    await vi.waitFor(async () => expect(await bus.deadLetters(group)).toHaveLength(1), patience);
    const topics = await withAdmin(async (admin) => {
      const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
      return (await admin.fetchTopicMetadata({ topics: mine })).topics;
    });
    const partitions = Object.fromEntries(topics.map(({ name, partitions: { length } }) => [name, length]));
    expect(partitions).toEqual({
      [`${prefix}engram.run.requested.v1`]: 8,
      [`${prefix}engram.g.again`]: 8,
      [`${prefix}engram.g.dead-letters`]: 1,
    });
    await close();
  });

  test('the number of partitions that the cluster has wins over the one asked for; two numbers are refused', async () => {
    const { prefix, url, close } = playground(client);
    const topic = `${prefix}engram.run.requested.v1`;
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }));
    const bus = await openKafkaBus(url);
    const seen: string[] = [];
    const subscription = await bus.subscribe({ group, types, handler: subjects(seen) });
    await bus.publish(['b', 'c', 'd', 'e'].map((key) => sample(key, 1)));
    await vi.waitFor(() => expect([...seen].sort()).toEqual(['s-b', 's-c', 's-d', 's-e']), patience);
    await subscription.close();
    await bus.close();

    const other = `${prefix}engram.run.completed.v1`;
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic: other, numPartitions: 4 }] }));
    const later = await openKafkaBus(url);
    await expect(later.publish([sample('b', 2)])).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(later.subscribe({ group, types, handler: subjects(seen) })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/run\.completed\.v1 has 4, .*run\.requested\.v1 has 3/),
    });
    await later.close();
    await close();
  });

  test('a poisonous message goes to the dead letters with its cause and holds up nobody', async () => {
    const { prefix, open, close } = playground(client);
    const bus = await open();
    const seen: string[] = [];
    await bus.publish([sample('b', 1)]);
    const topic = `${prefix}engram.run.requested.v1`;
    const { value, headers } = toKafkaHeaders(sample('c', 1));
    const newer = JSON.stringify({ ...JSON.parse(value), added_in_v1_1: true });
    await write(topic, [
      { key: 'b', value: 'neither an event nor JSON' },
      { key: 'b', value: null },
      { key: 'b', value: '{}', headers },
      { key: 'b', value, headers: { ...headers, ce_type: 'run.commanded.v1' } },
      { key: 'b', value: newer, headers },
    ]);
    await bus.publish([sample('b', 2)]);
    await bus.subscribe({ group, types, handler: subjects(seen) });
    await vi.waitFor(() => expect(seen.sort()).toEqual(['s-b', 's-b', 's-c']), patience);
    await vi.waitFor(async () => expect((await bus.lag(group)).events).toBe(0), patience);
    const letters = await bus.deadLetters(group);
    expect(letters.map(({ attempts, cause }) => [attempts, cause.code])).toEqual(
      new Array(letters.length).fill([1, 'EVENT_INVALID']),
    );
    // Two of the four state the same event id, and an event is one letter.
    expect(letters.map(({ event }) => event.data)).toEqual(expect.arrayContaining(['neither an event nor JSON', null]));
    expect(letters).toHaveLength(3);
    expect(await bus.redrive(group)).toBe(3);
    await vi.waitFor(async () => expect(await bus.deadLetters(group)).toHaveLength(3), patience);
    await close();
  });

  test('where retention has dropped unread events, the group goes on with the oldest that there are', async () => {
    const { prefix, open, close } = playground(client);
    const bus = await open();
    const topic = `${prefix}engram.run.requested.v1`;
    const seen: number[] = [];
    const handler = async ({ event }: Delivery) => void seen.push(event.subjectversion);
    const subscription = await bus.subscribe({ group, types, handler });
    await bus.publish([sample('b', 1)]);
    await vi.waitFor(async () => expect((await bus.lag(group)).events).toBe(0), patience);
    await subscription.close();
    await bus.publish([2, 3, 4].map((version) => sample('b', version)));
    await withAdmin(async (admin) => {
      const busy = (await admin.fetchTopicOffsets(topic)).find(({ high }) => high === '4');
      const partition = busy?.partition ?? -1;
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: '3' }] });
    });
    await bus.subscribe({ group, types, handler });
    await vi.waitFor(() => expect(seen).toEqual([1, 4]), patience);
    await vi.waitFor(async () => expect((await bus.lag(group)).events).toBe(0), patience);
    await close();
  });

  test('more of one key than a broker takes in one request is published all the same, in order', async () => {
    const { open, close } = playground(client);
    const bus = await open();
    const many = Array.from({ length: 3_000 }, (_, i) => sample('b', i + 1));
    expect(JSON.stringify(many).length).toBeGreaterThan(2_000_000);
    await bus.publish(many);
    const seen: number[] = [];
    await bus.subscribe({ group, types, handler: async ({ event }) => void seen.push(event.subjectversion) });
    await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(many.length), patience);
    expect(seen).toEqual(many.map(({ subjectversion }) => subjectversion));
    await close();
  });

  test('what records hold in their outbox reaches a handler through the broker', async () => {
    const { open, close } = playground(client);
    const bus = await open();
    const records = await openRecords('sqlite::memory:');
    const stop = new AbortController();
    const relaying = relayOutbox({ records, bus, intervalMs: 60_000, signal: stop.signal });
    const seen: number[] = [];
    await bus.subscribe({ group, types, handler: async ({ event }) => void seen.push(event.subjectversion) });
    const collection = records.collection({ name: 'test.things' });
    for (const version of [1, 2, 3]) await collection.insert(`${version}`, {}, { events: [sample('b', version)] });
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]), patience);
    expect(await collection.pendingEvents(10)).toEqual([]);
    stop.abort();
    await relaying;
    await close();
    await records.close();
  });
});
