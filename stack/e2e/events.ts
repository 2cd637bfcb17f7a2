/** Every event that a platform's bus holds, read without the platform's own consumers. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, eventTypes, fromKafkaHeaders, openBus } from '@engram/bus';
import type { EngramEvent } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';

export interface TopicContent {
  readonly topic: string;
  readonly events: readonly EngramEvent[];
  /** Messages that are no event. */
  readonly strangers: number;
}

/** A name that no reader had before: it sees everything from the beginning. */
const readerGroup = (): string => `engram-e2e-reader-${randomUUID()}`;

/** Reads each topic from its beginning to where it ended when this began. @param url `kafka://host:port`. */
export async function kafkaContent(url: string): Promise<TopicContent[]> {
  const kafka = new Kafka({ clientId: 'engram-e2e', brokers: [new URL(url).host], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => !topic.startsWith('__')).sort();
  const ends = new Map<string, number>();
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (Number(high) > Number(low)) ends.set(`${topic}/${partition}`, Number(high));
    }
  }
  await admin.disconnect();
  const found = new Map(topics.map((topic) => [topic, { topic, events: [] as EngramEvent[], strangers: 0 }]));
  if (ends.size > 0) await readUntil(kafka, [...new Set([...ends.keys()].map(topicOfKey))], ends, found);
  return [...found.values()];
}

const topicOfKey = (key: string): string => key.slice(0, key.lastIndexOf('/'));

async function readUntil(
  kafka: Kafka,
  topics: string[],
  ends: Map<string, number>,
  found: ReadonlyMap<string, { events: EngramEvent[]; strangers: number }>,
): Promise<void> {
  const consumer = kafka.consumer({ groupId: readerGroup() });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const limit = setTimeout(() => reject(new Error('the topics could not be read to their ends')), 60_000);
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      const event = eventOfMessage(message);
      const held = found.get(topic);
      if (event !== undefined) held?.events.push(event);
      else if (held) held.strangers++;
      const key = `${topic}/${partition}`;
      if (Number(message.offset) + 1 >= (ends.get(key) ?? 0)) ends.delete(key);
      if (ends.size === 0) resolve();
    },
  });
  try {
    await promise;
  } finally {
    clearTimeout(limit);
    await consumer.disconnect();
  }
}

/** @returns undefined of what is no event. */
export function eventOfMessage({ value, headers }: KafkaMessage): EngramEvent | undefined {
  try {
    return fromKafkaHeaders(value, headers as Record<string, Buffer | undefined>);
  } catch (error) {
    if (isEngramError(error, 'EVENT_INVALID')) return undefined;
    throw error;
  }
}

/** What an embedded platform's log holds. @param url `sqlite://…`. */
export async function embeddedEvents(url: string): Promise<EngramEvent[]> {
  const bus = await openBus(url);
  const found: EngramEvent[] = [];
  const group = readerGroup();
  await bus.subscribe({
    group,
    types: [...eventTypes],
    handler: async ({ event }) => void found.push(event),
  });
  while ((await bus.lag(group)).events > 0) await sleep(100);
  await bus.close();
  return found;
}

/** Of consumers: one a service that consumes. */
export const GROUPS = ['engram.preprocessing', 'engram.feature-store', 'engram.prediction', 'engram.results'];

/** Resolves when, for two seconds, no service of the platform has had an event left to handle. */
export async function untilQuiet(busUrl: string): Promise<void> {
  const bus = await openBus(busUrl);
  try {
    for (let quiet = 0; quiet < 4; ) {
      let waiting = 0;
      for (const group of GROUPS) waiting += await waitingIn(bus, group);
      quiet = waiting === 0 ? quiet + 1 : 0;
      await sleep(500);
    }
  } finally {
    await bus.close();
  }
}

/** A cluster that does not answer just now says nothing about quiet. */
async function waitingIn(bus: Bus, group: string): Promise<number> {
  try {
    return (await bus.lag(group)).events;
  } catch (error) {
    if (error instanceof EngramError && error.retryable) return 1;
    throw error;
  }
}
