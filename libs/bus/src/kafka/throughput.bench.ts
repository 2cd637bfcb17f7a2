/**
 * How many events a second go through the bus on the broker that KAFKA_URL names, and how many milliseconds pass until a
 * second member has joined, and from its leaving until an event of every key has been handled. With each client library.
 * Bounded: `KAFKA_URL=kafka://127.0.0.1:9092 node libs/bus/src/kafka/throughput.bench.ts [events, default 20000]`
 */
import { sample } from '../conformance.ts';
import type { Bus, Handler } from '../port.ts';
import { CLIENTS, type ClientName, playground } from './under-test.fixture.ts';

const BATCH = 100;
const SINGLE = 300;
const KEYS = [...'bcdefghijklmnopqrstuvwxyz234567'];
const group = 'engram.bench';
const types = ['run.requested.v1'];

async function measure(client: ClientName, events: number): Promise<void> {
  const { open, close } = playground(client);
  const bus = await open();
  await bus.publish([sample('b', 1)]);
  const all = Array.from({ length: events }, (_, i) => sample(KEYS[i % KEYS.length] ?? 'b', i + 2));
  const batches = await seconds(async () => {
    for (let i = 0; i < events; i += BATCH) await bus.publish(all.slice(i, i + BATCH));
  });
  const singly = await seconds(async () => {
    for (const event of all.slice(0, SINGLE)) await bus.publish([event]);
  });

  const total = events + SINGLE + 1;
  const counter = counting();
  const subscribed = await seconds(async () => {
    await bus.subscribe({ group, types, concurrency: 16, handler: counter.handler });
    await counter.reaches(total);
  });
  const other = await open();
  let leave = async () => {};
  const joined = await seconds(async () => {
    leave = await joinWith(other, counter.handler);
  });
  const left = await seconds(async () => {
    await leave();
    await bus.publish(KEYS.map((key) => sample(key, 1_000_000)));
    await counter.reaches(total + KEYS.length);
  });
  const figures = {
    [`published by ${BATCH}, events/s`]: events / batches,
    'published singly, events/s': SINGLE / singly,
    'handled, joining included, events/s': total / subscribed,
    'second member joins, ms': joined * 1000,
    'second member leaves, ms': left * 1000,
  };
  const lines = Object.entries(figures).map(([what, value]) => `${client}: ${what}: ${Math.round(value)}\n`);
  process.stdout.write(lines.join(''));
  await close();
}

async function joinWith(bus: Bus, handler: Handler): Promise<() => Promise<void>> {
  const { close } = await bus.subscribe({ group, types, handler });
  return close;
}

function counting() {
  let seen = 0;
  let waiting: { readonly count: number; readonly done: () => void } | undefined;
  return {
    handler: async () => {
      seen++;
      if (waiting && seen >= waiting.count) waiting.done();
    },
    async reaches(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = { count, done: resolve };
      if (seen >= count) resolve();
      await promise;
    },
  };
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const events = Number(process.argv[2] ?? 20_000);
for (const client of CLIENTS) await measure(client, events);
