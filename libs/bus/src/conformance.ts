/**
 * What every bus must do. An adapter is plugged in by a test file that calls `busConformance` with a way to open it;
 * `another` opens a second connection to the same log, as another process would.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngramEvent, events, makeEvent } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Bus, Delivery } from './port.ts';

export interface BusUnderTest {
  readonly bus: Bus;
  another(): Promise<Bus>;
  /** How long an effect may take to show: a broker may first have to share the partitions out. Default 15 s. */
  readonly patienceMs?: number;
  close(): Promise<void>;
}

/** A valid event of `key` whose subject version tells its place. */
export function sample(key: string, version: number): EngramEvent {
  const patient_key = key.padEnd(26, 'a');
  return makeEvent(events.runRequested, {
    source: '/engram/ingestion',
    subject: `s-${key}`,
    subjectVersion: version,
    patientKey: patient_key,
    time: new Date(0),
    data: { ...events.runRequested.example, patient_key, session_id: `s-${key}` },
  });
}

const types = ['run.requested.v1'];
const place = ({ event }: Delivery) => `${event.partitionkey[0]}${event.subjectversion}`;

export function busConformance(name: string, open: () => Promise<BusUnderTest>): void {
  describe(`bus: ${name}`, () => {
    let under: BusUnderTest;
    let bus: Bus;
    let group: string;
    const until = (check: () => void | Promise<void>) =>
      vi.waitFor(check, { timeout: under.patienceMs ?? 15_000, interval: 10 });
    beforeEach(async () => {
      under = await open();
      bus = under.bus;
      group = `engram.test-${randomUUID()}`;
    });
    afterEach(() => under.close());

    test('every group sees every event, also one published before it subscribed', async () => {
      await bus.publish([sample('b', 1)]);
      const seen: Record<string, string[]> = { one: [], two: [] };
      for (const [one, list] of Object.entries(seen)) {
        await bus.subscribe({ group: `${group}-${one}`, types, handler: async (d) => void list.push(place(d)) });
      }
      await bus.publish([sample('b', 2)]);
      await until(() => expect(seen).toEqual({ one: ['b1', 'b2'], two: ['b1', 'b2'] }));
    });

    test('a delivery names its event, topic, group and attempt', async () => {
      const event = sample('b', 1);
      const seen: Delivery[] = [];
      await bus.subscribe({ group, types, handler: async (delivery) => void seen.push(delivery) });
      await bus.publish([event]);
      await until(() => expect(seen).toHaveLength(1));
      expect(seen[0]).toMatchObject({ topic: 'engram.run.requested.v1', group, attempt: 1, event: { id: event.id } });
      expect(seen[0]?.event.data).toEqual(event.data);
    });

    test('events of one key arrive in order and never two at once, while other keys go on', async () => {
      const order: Record<string, number[]> = {};
      const underWay = new Set<string>();
      let together = 0;
      let overlaps = 0;
      await bus.subscribe({
        group,
        types,
        concurrency: 4,
        async handler({ event }) {
          const key = event.partitionkey;
          if (underWay.has(key)) overlaps++;
          underWay.add(key);
          together = Math.max(together, underWay.size);
          await sleep((event.subjectversion % 3) * 3);
          order[key[0] ?? ''] = [...(order[key[0] ?? ''] ?? []), event.subjectversion];
          underWay.delete(key);
        },
      });
      const versions = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
      for (const version of versions) await bus.publish(['b', 'c', 'd', 'e', 'f'].map((key) => sample(key, version)));
      await until(() => expect(Object.values(order).flat()).toHaveLength(50));
      expect(order).toEqual(Object.fromEntries(['b', 'c', 'd', 'e', 'f'].map((key) => [key, versions])));
      expect(overlaps).toBe(0);
      expect(together).toBeGreaterThan(1);
    });

    test('a failing event is tried again later and does not hold up the events behind it', async () => {
      const seen: string[] = [];
      await bus.subscribe({
        group,
        types,
        retryDelaysMs: [150, 150],
        async handler(delivery) {
          seen.push(`${place(delivery)}:${delivery.attempt}`);
          if (delivery.event.subjectversion === 1 && delivery.attempt < 3) throw new Error('not yet');
        },
      });
      await bus.publish([sample('b', 1), sample('b', 2)]);
      await until(() => expect(seen).toEqual(['b1:1', 'b2:1', 'b1:2', 'b1:3']));
      await until(async () => expect((await bus.lag(group)).events).toBe(0));
      expect(await bus.deadLetters(group)).toEqual([]);
    });

    test('after the last try an event lies in the dead letters with its cause, attempts and times', async () => {
      await bus.subscribe({
        group,
        types,
        retryDelaysMs: [20, 20, 20],
        handler: async () => Promise.reject(new EngramError('UPSTREAM_FAILED', 'the server said 503')),
      });
      const event = sample('b', 1);
      await bus.publish([event]);
      await until(async () => expect(await bus.deadLetters(group)).toHaveLength(1));
      const [letter] = await bus.deadLetters(group);
      expect(letter).toMatchObject({
        group,
        type: 'run.requested.v1',
        event: { id: event.id },
        attempts: 4,
        cause: { code: 'UPSTREAM_FAILED', message: 'the server said 503' },
      });
      expect(Date.parse(letter?.firstFailure ?? '')).toBeLessThan(Date.parse(letter?.lastFailure ?? ''));
    });

    test('what no retry can help goes to the dead letters at once', async () => {
      const attempts: number[] = [];
      await bus.subscribe({
        group,
        types,
        retryDelaysMs: [20],
        async handler({ attempt }) {
          attempts.push(attempt);
          throw new EngramError('NIFTI_INVALID', 't1.nii is not a NIfTI file');
        },
      });
      await bus.publish([sample('b', 1)]);
      await until(async () => expect(await bus.deadLetters(group)).toHaveLength(1));
      expect(attempts).toEqual([1]);
    });

    test('redriven dead letters are handled again, only those asked for, and only once', async () => {
      let broken = true;
      const seen: string[] = [];
      await bus.subscribe({
        group,
        types,
        retryDelaysMs: [],
        async handler(delivery) {
          if (broken) throw new EngramError('NIFTI_INVALID', 'broken');
          seen.push(place(delivery));
        },
      });
      const [one, two] = [sample('b', 1), sample('c', 1)];
      await bus.publish([one, two]);
      await until(async () => expect(await bus.deadLetters(group)).toHaveLength(2));
      broken = false;
      expect(await bus.redrive(group, [one.id])).toBe(1);
      await until(() => expect(seen).toEqual(['b1']));
      expect((await bus.deadLetters(group)).map(({ event }) => event.id)).toEqual([two.id]);
      expect(await bus.redrive(group)).toBe(1);
      expect(await bus.redrive(group)).toBe(0);
      await until(() => expect(seen).toEqual(['b1', 'c1']));
    });

    test('a replay hands a group the events from an instant on again, and no other group', async () => {
      const seen: Record<string, string[]> = { moved: [], other: [] };
      for (const [one, list] of Object.entries(seen)) {
        await bus.subscribe({ group: `${group}-${one}`, types, handler: async (d) => void list.push(place(d)) });
      }
      await bus.publish([sample('b', 1)]);
      await sleep(20);
      const since = new Date();
      await bus.publish([sample('b', 2), sample('b', 3)]);
      await until(() => expect(seen).toEqual({ moved: ['b1', 'b2', 'b3'], other: ['b1', 'b2', 'b3'] }));
      await until(async () => expect((await bus.lag(`${group}-moved`)).events).toBe(0));
      await bus.replay(`${group}-moved`, since);
      await until(() => expect(seen['moved']).toEqual(['b1', 'b2', 'b3', 'b2', 'b3']));
      expect(seen['other']).toEqual(['b1', 'b2', 'b3']);
    });

    test('lag counts what is not yet handled, retries included, and its age grows', async () => {
      const gate = Promise.withResolvers<void>();
      await bus.subscribe({ group, types, concurrency: 1, handler: () => gate.promise });
      expect(await bus.lag(group)).toEqual({ events: 0, seconds: 0 });
      await bus.publish([sample('b', 1), sample('c', 1), sample('d', 1)]);
      await sleep(30);
      const before = await bus.lag(group);
      expect(before.events).toBe(3);
      expect(before.seconds).toBeGreaterThan(0);
      gate.resolve();
      await until(async () => expect(await bus.lag(group)).toEqual({ events: 0, seconds: 0 }));
    });

    test('an event that does not fit its contract is refused by the field that is wrong', async () => {
      const event = sample('b', 1);
      const data = events.runRequested.example;
      const wrong: readonly [EngramEvent, string | undefined][] = [
        [{ ...event, data: { ...data, patient_key: 'MRN 12' } }, 'patient_key'],
        [{ ...event, data: { ...data, name: 'a field unknown to the schema' } }, undefined],
        [{ ...event, type: 'run.invented.v1' }, undefined],
        [{ ...event, id: 'not derived' }, 'id'],
      ];
      for (const [bad, field] of wrong) {
        await expect(bus.publish([bad])).rejects.toMatchObject({ code: 'EVENT_INVALID', field });
      }
      await expect(bus.subscribe({ group, types: ['run.invented.v1'], handler: async () => {} })).rejects.toMatchObject(
        {
          code: 'EVENT_INVALID',
        },
      );
    });

    test('two readers of a group share the work: each event is handled once, in order of its key', async () => {
      const second = await under.another();
      const seen: Record<string, string[]> = { first: [], second: [] };
      const all: string[] = [];
      const handler = (who: string) => async (delivery: Delivery) => {
        await sleep(2);
        seen[who]?.push(place(delivery));
        all.push(place(delivery));
      };
      await bus.subscribe({ group, types, handler: handler('first') });
      await second.subscribe({ group, types, handler: handler('second') });
      // Both must hold partitions before the work begins, or the first may do it all and prove nothing.
      const keys = [...'bcdefghijklmnopqrstuvwxyz'];
      await until(async () => {
        await bus.publish(keys.map((key) => sample(key, 1)));
        await sleep(300);
        expect(seen['first']?.length).toBeGreaterThan(0);
        expect(seen['second']?.length).toBeGreaterThan(0);
      });
      await until(async () => expect((await bus.lag(group)).events).toBe(0));
      all.length = 0;
      for (const version of [2, 3, 4]) await bus.publish(keys.map((key) => sample(key, version)));
      await until(() => expect(all).toHaveLength(75));
      for (const key of keys) expect(all.filter((at) => at[0] === key)).toEqual([`${key}2`, `${key}3`, `${key}4`]);
    });

    test('closing a subscription waits for the handler under way and hands the rest to the next', async () => {
      const entered = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      let ended = false;
      const subscription = await bus.subscribe({
        group,
        types,
        concurrency: 1,
        async handler() {
          entered.resolve();
          await gate.promise;
          ended = true;
        },
      });
      await bus.publish([sample('b', 1), sample('b', 2)]);
      await entered.promise;
      const closing = subscription.close();
      gate.resolve();
      await closing;
      expect(ended).toBe(true);
      const seen: string[] = [];
      await bus.subscribe({ group, types, handler: async (d) => void seen.push(place(d)) });
      await until(() => expect(seen).toEqual(['b2']));
    });

    test('a closed bus refuses to publish', async () => {
      const second = await under.another();
      await second.close();
      await expect(second.publish([sample('b', 1)])).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    });
  });
}
