import { EngramError } from '@engram/errors';
import { openRecords, type Records } from '@engram/records';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sample } from './conformance.ts';
import { forgetHandled, type IdempotentOptions, idempotently } from './idempotent.ts';
import type { Delivery } from './port.ts';

let records: Records;
beforeEach(async () => {
  records = await openRecords('sqlite::memory:');
});
afterEach(() => records.close());

const group = 'engram.test';
const delivery = (key: string, version: number, attempt = 1): Delivery => ({
  event: sample(key, version),
  topic: 'engram.run.requested.v1',
  group,
  attempt,
});
const options = (more: Partial<IdempotentOptions> = {}): IdempotentOptions => ({
  records,
  collection: 'test.inbox',
  group,
  ...more,
});

/** Any history of deliveries: each event any number of times, in any order. */
const history = fc.array(fc.tuple(fc.constantFrom('b', 'c', 'd'), fc.integer({ min: 1, max: 5 })), { maxLength: 40 });

test('however often and in whatever order events come, each has its effect once', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (deliveries) => {
      const fresh = await openRecords('sqlite::memory:');
      const effects: string[] = [];
      const handler = idempotently(options({ records: fresh }), async ({ event }) => void effects.push(event.id));
      for (const [key, version] of deliveries) await handler(delivery(key, version));
      const distinct = new Set(deliveries.map(([key, version]) => sample(key, version).id));
      expect(new Set(effects)).toEqual(distinct);
      expect(effects).toHaveLength(distinct.size);
      await fresh.close();
    }),
    { numRuns: 200 },
  );
});

test('with older versions ignored, a subject only moves forward and ends at the newest that came', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (deliveries) => {
      const fresh = await openRecords('sqlite::memory:');
      const state = new Map<string, number>();
      const handler = idempotently(options({ records: fresh, onOlder: 'ignore' }), async ({ event }) => {
        expect(event.subjectversion).toBeGreaterThan(state.get(event.subject) ?? 0);
        state.set(event.subject, event.subjectversion);
      });
      for (const [key, version] of deliveries) await handler(delivery(key, version));
      for (const key of ['b', 'c', 'd']) {
        const versions = deliveries.filter(([other]) => other === key).map(([, version]) => version);
        expect(state.get(`s-${key}`) ?? 0).toBe(Math.max(0, ...versions));
      }
      await fresh.close();
    }),
    { numRuns: 200 },
  );
});

test('an event whose handler failed is not remembered: the retry has its effect', async () => {
  let calls = 0;
  const handler = idempotently(options(), async () => {
    calls++;
    if (calls === 1) throw new EngramError('UPSTREAM_FAILED', 'not yet');
  });
  await expect(handler(delivery('b', 1))).rejects.toThrow('not yet');
  await handler(delivery('b', 1, 2));
  await handler(delivery('b', 1, 2));
  expect(calls).toBe(2);
});

test('two groups over one inbox do not hide events from one another', async () => {
  const seen: string[] = [];
  const first = idempotently(options(), async () => void seen.push('first'));
  const second = idempotently(options({ group: 'engram.other' }), async () => void seen.push('second'));
  for (const handler of [first, second, first, second]) await handler(delivery('b', 1));
  expect(seen).toEqual(['first', 'second']);
});

test('what the inbox has forgotten is handled again: by age, and by request before a replay', async () => {
  const seen: number[] = [];
  let now = Date.now();
  const expiring = await openRecords('sqlite::memory:');
  const handler = idempotently(options({ records: expiring, now: () => now, rememberMs: -1 }), async () => {
    seen.push(now);
  });
  await handler(delivery('b', 1));
  now += 1;
  await handler(delivery('b', 1));
  expect(seen).toHaveLength(2);
  await expiring.close();

  let calls = 0;
  const remembered = idempotently(options(), async () => void calls++);
  await remembered(delivery('b', 1));
  await remembered(delivery('b', 1));
  expect(await forgetHandled(records, 'test.inbox', group)).toBe(1);
  await remembered(delivery('b', 1));
  expect(calls).toBe(2);
});
