import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sample } from './conformance.ts';
import { fromKafkaHeaders, toKafkaHeaders } from './kafka-headers.ts';
import { checkReceived } from './validate.ts';

const event = { ...sample('b', 3), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

test('attributes are ce_ headers, the value is the data alone, the key is the patient key', () => {
  const message = toKafkaHeaders(event);
  expect(message.key).toBe(event.partitionkey);
  expect(JSON.parse(message.value)).toEqual(event.data);
  expect(message.headers).toMatchObject({
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_type: 'run.requested.v1',
    ce_subject: 's-b',
    ce_subjectversion: '3',
    traceparent: event.traceparent,
  });
  expect(message.headers).not.toHaveProperty('ce_data');
});

test('a message read back, as text or as bytes, is the event that was sent', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e9 }),
      fc.option(fc.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/), { nil: undefined }),
      (subjectversion, traceparent) => {
        const { traceparent: _, ...plain } = event;
        const sent = { ...plain, subjectversion, ...(traceparent ? { traceparent } : {}) };
        const { value, headers } = toKafkaHeaders(sent);
        const bytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
        expect(fromKafkaHeaders(value, headers)).toEqual(sent);
        expect(fromKafkaHeaders(Buffer.from(value), bytes)).toEqual(sent);
      },
    ),
  );
});

const recorded = join(import.meta.dirname, '../../../contracts/fixtures/events');

test.each(readdirSync(recorded))(
  'every event recorded in %s goes through a message unchanged and is accepted',
  (file) => {
    for (const old of JSON.parse(readFileSync(join(recorded, file), 'utf8'))) {
      const { value, headers } = toKafkaHeaders(old);
      const received = fromKafkaHeaders(value, headers);
      expect(received).toEqual(old);
      expect(() => checkReceived(received)).not.toThrow();
    }
  },
);

test('a tracing library’s own traceparent header is the nearer parent', () => {
  const { value, headers } = toKafkaHeaders(event);
  const nearer = event.traceparent.replace('b7ad', 'aaaa');
  expect(fromKafkaHeaders(value, { ...headers, traceparent: nearer }).traceparent).toBe(nearer);
});

test.each([
  ['without an id', { ce_id: undefined }, '{}', 'id'],
  ['with a version that is no number', { ce_subjectversion: 'three' }, '{}', 'subjectversion'],
  ['whose value is not JSON', {}, 'not json', undefined],
  ['without a value', {}, null, undefined],
])('a message %s is refused', (_, change, value, field) => {
  const { headers } = toKafkaHeaders(event);
  expect(() => fromKafkaHeaders(value, { ...headers, ...change })).toThrow(
    expect.objectContaining({ code: 'EVENT_INVALID', field }),
  );
});
