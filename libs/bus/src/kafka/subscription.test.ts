import { setTimeout as sleep } from 'node:timers/promises';
import { EngramError } from '@engram/errors';
import { type Logger, silentLogger } from '@engram/telemetry';
import { describe, expect, test, vi } from 'vitest';
import { sample } from '../conformance.ts';
import type { Delivery, SubscribeOptions } from '../port.ts';
import { memoryCluster } from './cluster.fixture.ts';
import { outage } from './patience.ts';
import { publishedRecord, replayRecord } from './records.ts';
import { openSender } from './sender.ts';
import { openSubscription } from './subscription.ts';
import { openTopics } from './topics.ts';

const type = 'run.requested.v1';
const topic = 'engram.run.requested.v1';
const group = 'engram.g';

async function subscribed(options: Partial<SubscribeOptions>, { partitions = 1, logger = silentLogger } = {}) {
  const cluster = memoryCluster(partitions);
  const { client } = cluster;
  const topics = openTopics(client, { prefix: '', partitions, retention_days: 1 });
  const sender = openSender(client, outage(logger, 'events could not be sent'));
  const publish = (versions: readonly number[]) =>
    client.send(versions.map((v) => publishedRecord(sample('b', v), { topic, partition: 0 }, Date.now())));
  const handler = async () => undefined;
  const subscription = openSubscription(
    { group, types: [type], handler, ...options },
    { client, topics, sender, sessionTimeoutMs: 400, now: Date.now, logger },
  );
  await subscription.started;
  const position = () => cluster.committed.get(`${topic}/0`)?.offset;
  return { cluster, subscription, publish, position };
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 });
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('a subscription', () => {
  test('reads no further ahead than it can hold while a handler is slow', async () => {
    const gate = Promise.withResolvers<void>();
    const { cluster, subscription, publish, position } = await subscribed({ handler: () => gate.promise });
    await publish(upTo(40));
    await sleep(60);
    await publish(upTo(100));
    await sleep(60);
    const furthest = Math.max(...cluster.fetches.flat().map(({ topic: of, offset }) => (of === topic ? offset : 0)));
    expect(furthest).toBe(0);
    gate.resolve();
    await until(() => expect(position()).toBe(140));
    await subscription.close();
  });

  test('commits over the unbroken run only: what a slow handler still holds is delivered again after a crash', async () => {
    const gate = Promise.withResolvers<void>();
    const handler = ({ event }: Delivery) => (event.subjectversion === 2 ? gate.promise : Promise.resolve());
    const { cluster, subscription, position } = await subscribed({ handler });
    const record = (key: string, version: number) =>
      publishedRecord(sample(key, version), { topic, partition: 0 }, Date.now());
    await cluster.client.send([record('b', 1), record('c', 2), record('d', 3), record('e', 4)]);
    await until(() => expect(position()).toBe(1));
    await sleep(80);
    expect(position()).toBe(1);
    gate.resolve();
    await until(() => expect(position()).toBe(4));
    await subscription.close();
  });

  test('before a rebalance it ends what is under way, commits it, and starts nothing more', async () => {
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const handler = async ({ event }: Delivery) => {
      seen.push(event.subjectversion);
      if (seen.length === 1) await gate.promise;
    };
    const { cluster, subscription, publish, position } = await subscribed({ handler });
    await publish([1, 2, 3]);
    await until(() => expect(seen).toEqual([1]));
    const rebalanced = cluster.rebalance();
    await sleep(30);
    expect(seen).toEqual([1]);
    gate.resolve();
    await rebalanced;
    expect(position()).toBe(1);
    await until(() => expect(seen).toEqual([1, 2, 3]));
    await until(() => expect(position()).toBe(3));
    await subscription.close();
  });

  test('a handler that outlasts half a session is not waited for: its event is delivered again', async () => {
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const handler = async ({ event }: Delivery) => {
      seen.push(event.subjectversion);
      if (seen.length === 1) await gate.promise;
    };
    const { cluster, subscription, publish, position } = await subscribed({ handler });
    await publish([1]);
    await until(() => expect(seen).toEqual([1]));
    await cluster.rebalance();
    expect(position()).toBe(0);
    gate.resolve();
    await until(() => expect(seen).toEqual([1, 1]));
    await until(() => expect(position()).toBe(1));
    await subscription.close();
  });

  test('an event whose failure cannot be kept is not passed over while the broker is away', async () => {
    const handler = async () => Promise.reject(new EngramError('NIFTI_INVALID', 'broken'));
    const { cluster, subscription, publish, position } = await subscribed({ handler });
    await publish([1]);
    cluster.fail = { send: new Error('the broker is away') };
    await sleep(300);
    expect(position()).toBe(0);
    cluster.fail = {};
    await until(() => expect(position()).toBe(1));
    expect(cluster.logs.get('engram.g.dead-letters/0')).toHaveLength(1);
    await subscription.close();
  });

  test('positions that could not be committed are committed later, and an outage is logged once, with its end', async () => {
    const said: string[] = [];
    const note = (message: string) => void said.push(message);
    const logger: Logger = { debug: () => undefined, info: note, warn: note, error: note };
    const { cluster, subscription, publish, position } = await subscribed({}, { logger });
    cluster.fail = { commit: new Error('away'), fetch: new Error('away') };
    await sleep(400);
    cluster.fail = { commit: new Error('away') };
    await publish([1, 2]);
    await sleep(600);
    expect(position()).toBe(0);
    cluster.fail = {};
    await until(() => expect(position()).toBe(2));
    await until(() => expect(said).toHaveLength(4));
    expect(said.map((message) => message.split(';')[0])).toEqual([
      'events could not be fetched',
      'over: events could not be fetched',
      'positions could not be kept',
      'over: positions could not be kept',
    ]);
    await subscription.close();
  });

  test('a replay moves the position back past what was committed, and no event is delivered in between', async () => {
    const seen: number[] = [];
    const handler = async ({ event }: Delivery) => void seen.push(event.subjectversion);
    const { cluster, subscription, position } = await subscribed({ handler });
    const record = (version: number) => publishedRecord(sample('b', version), { topic, partition: 0 }, version * 1_000);
    await cluster.client.send([1, 2, 3].map(record));
    await until(() => expect(position()).toBe(3));
    await cluster.client.send([replayRecord({ topic: 'engram.g.again', partition: 0 }, new Date(2_000), 9_000)]);
    await until(() => expect(seen).toEqual([1, 2, 3, 2, 3]));
    await until(() => expect(position()).toBe(3));
    await until(() => expect(cluster.committed.get('engram.g.again/0')?.offset).toBe(1));
    await subscription.close();
  });
});
