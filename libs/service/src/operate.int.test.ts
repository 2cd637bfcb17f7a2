import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idempotently, openBus } from '@engram/bus';
import { type EngramEvent, events, makeEvent } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { openRecords } from '@engram/records';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openOperations } from './operate.ts';

let config: { bus: string; records: string };
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engram-operate-'));
  config = { bus: `sqlite://${folder}/bus.db`, records: `sqlite://${folder}/records.db` };
  closers.push(() => rm(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const patientKey = 'abcdefghijklmnopqrstuvwxyz';
const requested = (id: string): EngramEvent =>
  makeEvent(events.runRequested, {
    source: '/engram/ingestion',
    subject: id,
    subjectVersion: 1,
    patientKey,
    time: new Date(),
    data: { ...events.runRequested.example, run_id: id },
  });

/** A service in another process: what it handled, and whether it fails. */
async function serve() {
  const [bus, records] = [await openBus(config.bus, { pollMs: 20, leaseMs: 400 }), await openRecords(config.records)];
  closers.push(() => records.close());
  closers.push(() => bus.close());
  const state = { handled: [] as string[], fails: false, publish: bus.publish };
  const group = 'engram.results';
  await bus.subscribe({
    group,
    types: [events.runRequested.type],
    handler: idempotently({ records, collection: 'results.inbox', group }, async ({ event }) => {
      if (state.fails) throw new EngramError('FHIR_REFUSED', 'the token has run out');
      state.handled.push(event.subject);
    }),
  });
  return state;
}

async function operate() {
  const operations = await openOperations(config);
  closers.push(() => operations.close());
  return operations;
}

test('what a service gave up is listed with its cause, and handed back one by one or all at once', async () => {
  const service = await serve();
  const operations = await operate();
  service.fails = true;
  await service.publish([requested('r-1'), requested('r-2')]);
  await vi.waitFor(async () => expect(await operations.deadLetters()).toHaveLength(2), { timeout: 20_000 });
  const [first] = await operations.deadLetters(['results']);
  expect(first).toMatchObject({
    service: 'results',
    type: 'run.requested.v1',
    attempts: 1,
    cause: { code: 'FHIR_REFUSED', message: 'the token has run out' },
    event: { subject: 'r-1', partitionkey: patientKey },
  });
  expect(await operations.deadLetters(['prediction'])).toEqual([]);
  service.fails = false;
  expect(await operations.redrive(['results'], [first?.event.id ?? ''])).toBe(1);
  await vi.waitFor(() => expect(service.handled).toEqual(['r-1']), { timeout: 20_000 });
  expect(await operations.redrive(['preprocessing', 'results'])).toBe(1);
  await vi.waitFor(() => expect(service.handled).toEqual(['r-1', 'r-2']), { timeout: 20_000 });
  expect(await operations.deadLetters()).toEqual([]);
});

test('a replay has an effect once the service forgets what it has handled', async () => {
  const before = new Date(Date.now() - 1_000);
  const service = await serve();
  const operations = await operate();
  await service.publish([requested('r-1')]);
  await vi.waitFor(() => expect(service.handled).toEqual(['r-1']), { timeout: 20_000 });
  expect(await operations.replay('results', before, { forget: false })).toBe(0);
  await service.publish([requested('r-2')]);
  await vi.waitFor(() => expect(service.handled).toEqual(['r-1', 'r-2']), { timeout: 20_000 });
  expect(await operations.replay('results', before, { forget: true })).toBe(2);
  await vi.waitFor(() => expect(service.handled.toSorted()).toEqual(['r-1', 'r-1', 'r-2', 'r-2']), { timeout: 20_000 });
});
