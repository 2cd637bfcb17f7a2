import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRecords } from '@engram/records';
import { startTelemetry, traceId, withSpan } from '@engram/telemetry';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sample } from './conformance.ts';
import { openBus } from './open.ts';
import type { Bus } from './port.ts';
import { openRelay, relayOutbox } from './relay-outbox.ts';

let telemetry: Awaited<ReturnType<typeof startTelemetry>>;
beforeAll(async () => {
  telemetry = await startTelemetry({ service: 'test', exporter: 'memory' });
});
afterAll(() => telemetry.shutdown());

const things = { name: 'test.things' };

test('what a write said is published without waiting for the interval, in order, and once', async () => {
  const records = await openRecords('sqlite::memory:');
  const bus = await openBus('sqlite::memory:');
  const collection = records.collection(things);
  const stop = new AbortController();
  const relaying = relayOutbox({ records, bus, intervalMs: 60_000, signal: stop.signal });
  const seen: number[] = [];
  await bus.subscribe({
    group: 'engram.g',
    types: ['run.requested.v1'],
    handler: async ({ event }) => void seen.push(event.subjectversion),
  });
  for (const version of [1, 2, 3]) await collection.insert(`${version}`, {}, { events: [sample('b', version)] });
  await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]));
  expect(await collection.pendingEvents(10)).toEqual([]);
  stop.abort();
  await relaying;
  await bus.close();
  await records.close();
});

test('events written while the bus was away leave when it is back', async () => {
  const records = await openRecords('sqlite::memory:');
  const collection = records.collection(things);
  await collection.insert('a', {}, { events: [sample('b', 1)] });
  const published: string[] = [];
  let away = true;
  const bus: Pick<Bus, 'publish'> = {
    async publish(events) {
      if (away) throw new Error('the bus is away');
      published.push(...events.map((event) => event.id));
    },
  };
  const stop = new AbortController();
  const relaying = relayOutbox({ records, bus: bus as Bus, intervalMs: 10, signal: stop.signal });
  await sleep(50);
  expect(await collection.pendingEvents(10)).toHaveLength(1);
  away = false;
  await vi.waitFor(() => expect(published).toEqual([sample('b', 1).id]));
  stop.abort();
  await relaying;
  await records.close();
});

interface Published {
  readonly bus: Pick<Bus, 'publish'>;
  readonly versions: number[];
}

function listeningBus(): Published {
  const versions: number[] = [];
  const publish: Bus['publish'] = async (events) => {
    await sleep(5);
    versions.push(...events.map((event) => event.subjectversion));
  };
  return { bus: { publish }, versions };
}

test('of two processes each sends what it wrote, once, and looks for nothing', async () => {
  const mine = await openRecords('sqlite::memory:');
  const collection = mine.collection(things);
  const { bus, versions } = listeningBus();
  const look = vi.spyOn(collection, 'pendingEvents');
  const relay = openRelay({ records: mine, bus });
  for (const version of [1, 2, 3]) await collection.insert(`${version}`, {}, { events: [sample('b', version)] });
  expect(relay.hasOwn).toBe(true);
  expect(await relay.sendOwn()).toBe(3);
  expect(await relay.sendOwn()).toBe(0);
  expect(versions).toEqual([1, 2, 3]);
  expect(look).not.toHaveBeenCalled();
  expect(await relay.sendWaiting()).toBe(0);
  relay.close();
  await mine.close();
});

test('whoever writes to a record sends first what another process left in it, and no process sends what is being sent', async () => {
  let ahead = 0;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => performance.timeOrigin + performance.now() + ahead);
  const folder = mkdtempSync(join(tmpdir(), 'engram-relay-'));
  const url = `sqlite://${join(folder, 'records.db')}`;
  const [mine, theirs] = [await openRecords(url), await openRecords(url)];
  await mine.collection(things).insert('one', {}, { events: [sample('b', 1)] });
  await mine.collection(things).insert('other', {}, { events: [sample('b', 9)] });
  const { bus, versions } = listeningBus();
  const relay = openRelay({ records: theirs, bus });
  await theirs.collection(things).replace('one', 1, {}, { events: [sample('b', 2)] });
  await Promise.all([relay.sendOwn(), theirs.collection(things).replace('one', 2, {}, { events: [sample('b', 3)] })]);
  await relay.sendOwn();
  expect(versions).toEqual([1, 2, 3]);
  expect(await relay.sendWaiting(5_000)).toBe(0);
  ahead = 5_001;
  expect(await relay.sendWaiting(5_000)).toBe(1);
  expect(versions).toEqual([1, 2, 3, 9]);
  clock.mockRestore();
  relay.close();
  for (const records of [mine, theirs]) await records.close();
  rmSync(folder, { recursive: true });
});

test('an outage is waited out without holding all that is written meanwhile', async () => {
  const records = await openRecords('sqlite::memory:');
  const collection = records.collection(things);
  const { bus, versions } = listeningBus();
  const relay = openRelay({ records, bus: { publish: () => Promise.reject(new Error('the bus is away')) } });
  for (let version = 1; version <= 1_001; version++) {
    await collection.insert(`${version}`, {}, { events: [sample('b', version)] });
  }
  expect(relay.hasOwn).toBe(false);
  relay.close();
  const later = openRelay({ records, bus });
  expect(await later.sendWaiting()).toBe(1_001);
  expect(versions).toEqual(Array.from({ length: 1_001 }, (_, n) => n + 1));
  later.close();
  await records.close();
});

test('a relay that is stopped sends first what its process has just written', async () => {
  const records = await openRecords('sqlite::memory:');
  const { bus, versions } = listeningBus();
  const stop = new AbortController();
  const relaying = relayOutbox({ records, bus, signal: stop.signal });
  await sleep(20);
  await records.collection(things).insert('1', {}, { events: [sample('b', 1)] });
  stop.abort();
  await relaying;
  expect(versions).toEqual([1]);
  await records.close();
});

test('a crash between publishing and marking sends the same event again, with the same id', async () => {
  const records = await openRecords('sqlite::memory:');
  const bus = await openBus('sqlite::memory:');
  const ids: string[] = [];
  await bus.subscribe({
    group: 'engram.g',
    types: ['run.requested.v1'],
    handler: async ({ event }) => void ids.push(event.id),
  });
  const collection = records.collection(things);
  await collection.insert('a', {}, { events: [sample('b', 1)] });
  const mark = vi.spyOn(collection, 'markPublished').mockRejectedValueOnce(new Error('killed here'));
  const relay = openRelay({ records, bus });
  await expect(relay.sendWaiting()).rejects.toThrow('killed here');
  mark.mockRestore();
  expect(await relay.sendWaiting()).toBe(1);
  await vi.waitFor(() => expect(ids).toEqual([sample('b', 1).id, sample('b', 1).id]));
  await bus.close();
  await records.close();
});

test('an event that no bus takes does not hold back those behind it', async () => {
  const records = await openRecords('sqlite::memory:');
  const bus = await openBus('sqlite::memory:');
  const collection = records.collection(things);
  const broken = { ...sample('b', 1), type: 'run.invented.v1' };
  await collection.insert('a', {}, { events: [broken, sample('b', 2)] });
  await openRelay({ records, bus }).sendWaiting();
  const seen: number[] = [];
  await bus.subscribe({
    group: 'engram.g',
    types: ['run.requested.v1'],
    handler: async ({ event }) => void seen.push(event.subjectversion),
  });
  await vi.waitFor(() => expect(seen).toEqual([2]));
  expect(await collection.pendingEvents(10)).toEqual([]);
  await bus.close();
  await records.close();
});

test('one trace runs from the write through outbox and bus into the handler', async () => {
  const records = await openRecords('sqlite::memory:');
  const bus = await openBus('sqlite::memory:');
  const collection = records.collection(things);
  let outer: string | undefined;
  await withSpan('notification', {}, async () => {
    outer = traceId();
    await collection.insert('a', {}, { events: [sample('b', 1)] });
  });
  await openRelay({ records, bus }).sendWaiting();
  let inner: string | undefined;
  await bus.subscribe({
    group: 'engram.g',
    types: ['run.requested.v1'],
    handler: async () => {
      inner = traceId();
    },
  });
  await vi.waitFor(() => expect(inner).toBeDefined());
  expect(inner).toBe(outer);
  await vi.waitFor(() =>
    expect(telemetry.spans().map((span) => span.name)).toContain('process engram.run.requested.v1'),
  );
  const spans = telemetry.spans().filter((span) => span.spanContext().traceId === outer);
  expect(spans.map((span) => span.name)).toEqual([
    'notification',
    'send engram.run.requested.v1',
    'process engram.run.requested.v1',
  ]);
  const [notification, send, process] = spans;
  expect(send?.parentSpanContext?.spanId).toBe(notification?.spanContext().spanId);
  expect(process?.parentSpanContext?.spanId).toBe(send?.spanContext().spanId);
  expect(process?.attributes).toMatchObject({
    'messaging.destination.name': 'engram.run.requested.v1',
    'messaging.consumer.group.name': 'engram.g',
    'messaging.operation.type': 'process',
  });
  expect(JSON.stringify(spans.map((span) => span.attributes))).not.toContain(sample('b', 1).partitionkey);
  await bus.close();
  await records.close();
});
