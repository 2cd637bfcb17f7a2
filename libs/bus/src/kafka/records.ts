/**
 * What travels beside an event in a record: nothing in the topics of the event types; in a group's own topics how often it
 * was tried, when it was published, when it is due and why it failed, as `engram_*` headers. The event itself is passed
 * on byte for byte, also one that cannot be read. Pure.
 */
import type { EngramEvent } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { fromKafkaHeaders, toKafkaHeaders } from '../kafka-headers.ts';
import type { DeadLetter } from '../port.ts';
import type { FetchedRecord, OutgoingRecord, TopicPartition } from './client.ts';

/** Brokers take 1 MiB in one message by default; the rest is for headers. */
const LARGEST_VALUE = 1_000_000;

export interface Try {
  readonly type: string;
  readonly attempt: number;
  readonly publishedAt: number;
  readonly firstFailure: number | undefined;
  /** Not to be handled before. */
  readonly due: number;
}

export interface Failure {
  readonly at: number;
  readonly cause: EngramError;
}

/** @throws EVENT_INVALID when no broker would take it. */
export function publishedRecord(event: EngramEvent, at: TopicPartition, now: number): OutgoingRecord {
  const message = toKafkaHeaders(event);
  if (Buffer.byteLength(message.value) > LARGEST_VALUE) {
    throw new EngramError('EVENT_INVALID', `${event.type} is larger than ${LARGEST_VALUE} bytes`, { field: 'data' });
  }
  return { ...at, ...message, timestamp: now };
}

/** `type` is the event type of the topic it was read from; a group's own topics name it in a header. */
export function tryOf({ headers, timestamp }: FetchedRecord, type: string | undefined): Try {
  const { engram_type, engram_attempt, engram_published, engram_first_failure, engram_due } = headers;
  return {
    type: type ?? engram_type ?? '',
    attempt: Number(engram_attempt ?? 1),
    publishedAt: Number(engram_published ?? timestamp),
    firstFailure: engram_first_failure === undefined ? undefined : Number(engram_first_failure),
    due: Number(engram_due ?? 0),
  };
}

/** @throws EVENT_INVALID when it is no CloudEvent of ours, or not of the type whose topic it lay in. */
export function eventOf(record: FetchedRecord, type: string): EngramEvent {
  const event = fromKafkaHeaders(record.value, record.headers);
  if (event.type === type) return event;
  throw new EngramError('EVENT_INVALID', `an event of another type lay in the topic of ${type}`, { field: 'type' });
}

export function retryRecord(record: FetchedRecord, to: TopicPartition, it: Try, failure: Failure, delayMs: number) {
  return passedOn(record, to, failure.at, {
    engram_type: it.type,
    engram_attempt: String(it.attempt + 1),
    engram_published: String(it.publishedAt),
    engram_first_failure: String(it.firstFailure ?? failure.at),
    engram_due: String(failure.at + delayMs),
  });
}

export function deadRecord(record: FetchedRecord, to: TopicPartition, it: Try, { at, cause }: Failure): OutgoingRecord {
  const dead = passedOn(record, to, at, {
    engram_type: it.type,
    engram_attempt: String(it.attempt),
    engram_published: String(it.publishedAt),
    engram_first_failure: String(it.firstFailure ?? at),
    engram_last_failure: String(at),
    engram_cause_code: cause.code,
    engram_cause_message: cause.message,
    engram_partition_key: record.key,
  });
  // An event that comes twice is one letter.
  const id = record.headers['ce_id'] ?? `${record.topic}/${record.partition}/${record.offset}`;
  return { ...dead, key: `${it.type}/${id}` };
}

/** A dead letter as a new first try of its group, due at once. */
export function redrivenRecord(dead: FetchedRecord, to: TopicPartition, now: number): OutgoingRecord {
  const { engram_type = '', engram_published = String(now), engram_partition_key: key = '' } = dead.headers;
  return { ...passedOn(dead, to, now, { engram_type, engram_attempt: '1', engram_published }), key };
}

const SETTLED = 'engram_settled';

/**
 * Takes a dead letter out of the list; the log itself is not rewritten. It names the letter by its offset: what was redriven
 * may have failed again already, and that letter stays.
 */
export function settledRecord({ topic, partition, key, offset }: FetchedRecord, now: number): OutgoingRecord {
  return { topic, partition, key, value: null, headers: { [SETTLED]: String(offset) }, timestamp: now };
}

/** The offset of the last letter of its key that a record settles; undefined of a letter. */
export const settledOffset = ({ headers }: FetchedRecord): number | undefined =>
  headers[SETTLED] === undefined ? undefined : Number(headers[SETTLED]);

export function deadLetterOf(record: FetchedRecord, group: string): DeadLetter {
  const { type, attempt } = tryOf(record, undefined);
  const {
    engram_first_failure,
    engram_last_failure,
    engram_cause_code = '',
    engram_cause_message = '',
  } = record.headers;
  const time = (at: string | undefined) => new Date(Number(at ?? record.timestamp)).toISOString();
  return {
    group,
    type,
    event: readable(record, type),
    attempts: attempt,
    firstFailure: time(engram_first_failure),
    lastFailure: time(engram_last_failure),
    cause: { code: engram_cause_code, message: engram_cause_message },
  };
}

/** The event, or as much of it as can be read. */
function readable(record: FetchedRecord, type: string): EngramEvent {
  try {
    return fromKafkaHeaders(record.value, record.headers);
  } catch {
    const { ce_id = '', ce_source = '', ce_subject = '', ce_time = '' } = record.headers;
    return {
      specversion: '1.0',
      id: ce_id,
      source: ce_source,
      type,
      subject: ce_subject,
      subjectversion: Number(record.headers['ce_subjectversion'] ?? 0),
      time: ce_time,
      datacontenttype: 'application/json',
      partitionkey: record.headers['engram_partition_key'] ?? record.key,
      data: record.value === null ? null : Buffer.from(record.value).toString('utf8'),
    };
  }
}

const REPLAY_SINCE = 'engram_replay_since';

/** Asks the one who reads this partition number to go back, in every topic. */
export function replayRecord(to: TopicPartition, since: Date, now: number): OutgoingRecord {
  return { ...to, key: '', value: null, headers: { [REPLAY_SINCE]: String(since.getTime()) }, timestamp: now };
}

export function replaySince({ headers }: FetchedRecord): Date | undefined {
  const since = headers[REPLAY_SINCE];
  return since === undefined ? undefined : new Date(Number(since));
}

function passedOn(
  { key, value, headers }: FetchedRecord,
  to: TopicPartition,
  now: number,
  more: Readonly<Record<string, string>>,
): OutgoingRecord {
  const own = Object.entries(headers).filter(([name]) => !name.startsWith('engram_'));
  return { ...to, key, value, headers: { ...Object.fromEntries(own), ...more }, timestamp: now };
}
