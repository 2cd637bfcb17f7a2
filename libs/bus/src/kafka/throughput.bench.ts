/**
 * How many events a second go through the bus on the broker that KAFKA_URL names, with each client library. Bounded:
 * `KAFKA_URL=kafka://127.0.0.1:9092 node libs/bus/src/kafka/throughput.bench.ts [events, default 20000]`
 */
import { sample } from '../conformance.ts';
import { CLIENTS, type ClientName, playground } from './under-test.fixture.ts';

const BATCH = 100;
const SINGLE = 300;
const KEYS = [...'bcdefghijklmnopqrstuvwxyz234567'];
const types = ['run.requested.v1'];

async function measure(client: ClientName, events: number): Promise<void> {
  const { open, close } = playground(client);
  const bus = await open();
  await bus.publish([sample('b', 1)]);
  const all = Array.from({ length: events }, (_, i) => sample(KEYS[i % KEYS.length] ?? 'b', i + 2));

  const inBatches = await timed(events, async () => {
    for (let i = 0; i < events; i += BATCH) await bus.publish(all.slice(i, i + BATCH));
  });
  const singly = await timed(SINGLE, async () => {
    for (const event of all.slice(0, SINGLE)) await bus.publish([event]);
  });
  const expected = events + SINGLE + 1;
  const arrived = Promise.withResolvers<void>();
  let seen = 0;
  let first = 0;
  const handler = async () => {
    first ||= performance.now();
    if (++seen === expected) arrived.resolve();
  };
  await bus.subscribe({ group: 'engram.bench', types, concurrency: 16, handler });
  await arrived.promise;
  const handled = expected / ((performance.now() - first) / 1000);
  const rates = { client, events, [`published by ${BATCH}`]: inBatches, 'published singly': singly, handled };
  process.stdout.write(
    `${JSON.stringify(rates, (_, value) => (typeof value === 'number' ? Math.round(value) : value))}\n`,
  );
  await close();
}

/** @returns events per second. */
async function timed(events: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return events / ((performance.now() - start) / 1000);
}

const events = Number(process.argv[2] ?? 20_000);
for (const client of CLIENTS) await measure(client, events);
