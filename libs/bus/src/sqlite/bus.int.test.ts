import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import { openDatabase } from '@engram/records';
import { startTelemetry } from '@engram/telemetry';
import { describe, expect, test, vi } from 'vitest';
import { busConformance, sample } from '../conformance.ts';
import { killedConsumerConformance } from '../killed-consumer.conformance.ts';
import type { Bus } from '../port.ts';
import { openSqliteBus, type SqliteBusOptions } from './bus.ts';

const options: SqliteBusOptions = { pollMs: 20, leaseMs: 400 };

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'engram-bus-'));
  const url = `sqlite://${join(folder, 'bus.db')}?synchronous=normal`;
  const opened: Bus[] = [];
  const open = (more: SqliteBusOptions = {}) => {
    const bus = openSqliteBus(url, { ...options, ...more });
    opened.push(bus);
    return bus;
  };
  const close = async () => {
    for (const bus of opened) await bus.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, open, close };
}

busConformance('sqlite', async () => {
  const { open, close } = temporary();
  return { bus: open(), another: async () => open(), close };
});

killedConsumerConformance('sqlite', 20_000, async () => {
  const { url, open, close } = temporary();
  return { bus: open({ leaseMs: 600 }), url, close };
});

test('a dead letter is counted by its group, topic and code', async () => {
  const telemetry = await startTelemetry({ service: 'test', exporter: 'memory' });
  const { open, close } = temporary();
  const bus = open();
  await bus.subscribe({
    group: 'engram.g',
    types: ['run.requested.v1'],
    handler: async () => Promise.reject(new EngramError('NIFTI_INVALID', 'no')),
  });
  await bus.publish([sample('b', 1), sample('b', 2)]);
  await vi.waitFor(async () => expect(await bus.deadLetters('engram.g')).toHaveLength(2));
  const line = (await telemetry.metricsText()).match(/^engram_bus_dead_letters_total\{(.*)\} 2$/m)?.[1] ?? '';
  expect(line.split(',').sort()).toEqual([
    'error_type="NIFTI_INVALID"',
    'messaging_consumer_group_name="engram.g"',
    'messaging_destination_name="engram.run.requested.v1"',
  ]);
  await close();
  await telemetry.shutdown();
});

describe('the embedded log', () => {
  test('an event outlives the process that published it', async () => {
    const { open, close } = temporary();
    const writer = open();
    await writer.publish([sample('b', 1)]);
    await writer.close();
    const seen: string[] = [];
    await open().subscribe({
      group: 'engram.g',
      types: ['run.requested.v1'],
      handler: async ({ event }) => void seen.push(event.subject),
    });
    await vi.waitFor(() => expect(seen).toEqual(['s-b']));
    await close();
  });

  test('an event that was written by something else and fits no contract is a dead letter, not a stop', async () => {
    const { url, open, close } = temporary();
    const bus = open({ partitions: 1 });
    const database = openDatabase(url);
    database.run(
      "INSERT INTO log (type, partition, event, published_at) VALUES ('run.requested.v1', 0, ?, 0)",
      JSON.stringify({ ...sample('b', 1), data: {} }),
    );
    const newer = { ...sample('c', 1), data: Object.assign({ added_in_v1_1: true }, sample('c', 1).data) };
    database.run(
      "INSERT INTO log (type, partition, event, published_at) VALUES ('run.requested.v1', 0, ?, 0)",
      JSON.stringify(newer),
    );
    database.close();
    const seen: string[] = [];
    await bus.subscribe({
      group: 'engram.g',
      types: ['run.requested.v1'],
      handler: async ({ event }) => void seen.push(event.subject),
    });
    await vi.waitFor(() => expect(seen).toEqual(['s-c']));
    expect(await bus.deadLetters('engram.g')).toMatchObject([{ attempts: 1, cause: { code: 'EVENT_INVALID' } }]);
    await close();
  });

  test('events older than the retention go, but only when every group has passed them', async () => {
    const { url, open, close } = temporary();
    const bus = open();
    await bus.subscribe({ group: 'engram.g', types: ['run.requested.v1'], handler: async () => {} });
    await bus.publish([sample('b', 1)]);
    await vi.waitFor(async () => expect((await bus.lag('engram.g')).events).toBe(0));
    const database = openDatabase(url);
    const { openStore } = await import('./store.ts');
    const store = openStore(database, 8);
    store.register('engram.late', 'run.requested.v1');
    expect(store.forget(Date.now() + 1)).toBe(0);
    database.run("DELETE FROM position WHERE grp = 'engram.late'");
    expect(store.forget(Date.now() + 1)).toBe(1);
    database.close();
    await close();
  });
});
