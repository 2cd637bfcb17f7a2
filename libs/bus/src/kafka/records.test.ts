import { EngramError } from '@engram/errors';
import { expect, test } from 'vitest';
import { sample } from '../conformance.ts';
import type { FetchedRecord, OutgoingRecord } from './client.ts';
import {
  deadLetterOf,
  deadRecord,
  eventOf,
  publishedRecord,
  redrivenRecord,
  replayRecord,
  replaySince,
  retryRecord,
  tryOf,
} from './records.ts';
import { delayName } from './topics.ts';

const type = 'run.requested.v1';
const event = sample('b', 1);
const at = { topic: 'engram.run.requested.v1', partition: 3 };
const aside = { topic: 'aside', partition: 0 };
const cause = new EngramError('UPSTREAM_FAILED', 'the server said 503');
const fetched = ({ value, ...record }: OutgoingRecord): FetchedRecord => ({
  ...record,
  value: value === null ? null : Buffer.from(value),
  offset: 7,
});

test('through retries, a dead letter and a redrive an event stays what it was, and its history is told', () => {
  const published = fetched(publishedRecord(event, at, 1_000));
  const first = tryOf(published, type);
  expect(first).toEqual({ type, attempt: 1, publishedAt: 1_000, firstFailure: undefined, due: 0 });
  const again = fetched(retryRecord(published, aside, first, { at: 2_000, cause }, 5_000));
  const second = tryOf(again, undefined);
  expect(second).toEqual({ type, attempt: 2, publishedAt: 1_000, firstFailure: 2_000, due: 7_000 });
  expect(eventOf(again, type)).toEqual(event);
  const dead = fetched(deadRecord(again, aside, second, { at: 8_000, cause }));
  expect(deadLetterOf(dead, 'engram.g')).toEqual({
    group: 'engram.g',
    type,
    event,
    attempts: 2,
    firstFailure: new Date(2_000).toISOString(),
    lastFailure: new Date(8_000).toISOString(),
    cause: { code: 'UPSTREAM_FAILED', message: 'the server said 503' },
  });
  const redriven = fetched(redrivenRecord(dead, aside, 9_000));
  expect(redriven.key).toBe(event.partitionkey);
  expect(tryOf(redriven, undefined)).toEqual({ type, attempt: 1, publishedAt: 1_000, firstFailure: undefined, due: 0 });
  expect(eventOf(redriven, type)).toEqual(event);
});

test('an event of another type than its topic’s is refused', () => {
  expect(() => eventOf(fetched(publishedRecord(event, at, 0)), 'run.failed.v1')).toThrow(
    expect.objectContaining({ code: 'EVENT_INVALID', field: 'type' }),
  );
});

test('an event that no broker would take is refused before it is sent', () => {
  const large = { ...event, data: { text: 'x'.repeat(1_000_001) } };
  expect(() => publishedRecord(large, at, 0)).toThrow(expect.objectContaining({ code: 'EVENT_INVALID' }));
});

test('a request to replay is told from an event', () => {
  expect(replaySince(fetched(replayRecord(aside, new Date(5_000), 6_000)))).toEqual(new Date(5_000));
  expect(replaySince(fetched(publishedRecord(event, at, 0)))).toBeUndefined();
});

test.each([
  [5_000, '5s'],
  [60_000, '1m'],
  [300_000, '5m'],
  [7_200_000, '2h'],
  [150, '150ms'],
  [90_000, '90s'],
  [0, '0ms'],
])('a delay of %i ms is named %s', (ms, name) => expect(delayName(ms)).toBe(name));
