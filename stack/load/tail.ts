/** Follows the platform's topics as its services write them, so that a test can act in the middle of their work. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventTypes, topicOf } from '@engram/bus';
import type { EngramEvent } from '@engram/contracts';
import { Kafka, logLevel } from 'kafkajs';
import { eventOfMessage } from '../e2e/events.ts';

export interface Tail {
  /** Of every event seen so far, those of a type; a repeat is there again. */
  seen(type: string): readonly EngramEvent[];
  /** Resolves with the next event that satisfies; one seen already does not count. */
  next(isIt: (event: EngramEvent) => boolean, limitMs: number): Promise<EngramEvent>;
  close(): Promise<void>;
}

const TOPICS = [...eventTypes].map(topicOf);

/** @param url `kafka://host:port`; waits until the services have made the topics. */
export async function followTopics(url: string): Promise<Tail> {
  const kafka = new Kafka({ clientId: 'engram-tail', brokers: [new URL(url).host], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: `engram-tail-${randomUUID()}`,
    retry: { retries: 50, maxRetryTime: 2000 },
  });
  const events = new Map<string, EngramEvent[]>();
  const waiting = new Set<(event: EngramEvent) => void>();
  await untilThere(kafka);
  await consumer.connect();
  await consumer.subscribe({ topics: TOPICS, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const event = eventOfMessage(message);
      if (event === undefined) return;
      const same = events.get(event.type) ?? [];
      same.push(event);
      events.set(event.type, same);
      for (const tell of waiting) tell(event);
    },
  });
  return {
    seen: (type) => events.get(type) ?? [],
    next(isIt, limitMs) {
      const { promise, resolve, reject } = Promise.withResolvers<EngramEvent>();
      const limit = setTimeout(() => reject(new Error('no such event came')), limitMs);
      const tell = (event: EngramEvent): void => {
        if (isIt(event)) resolve(event);
      };
      waiting.add(tell);
      return promise.finally(() => {
        clearTimeout(limit);
        waiting.delete(tell);
      });
    },
    close: () => consumer.disconnect(),
  };
}

/** There is a topic only when each of its partitions has a leader. */
async function untilThere(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const areThere = async (): Promise<boolean> => {
    const { topics } = await admin.fetchTopicMetadata({ topics: TOPICS });
    return topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0));
  };
  while (!(await areThere().catch(() => false))) await sleep(500);
  await admin.disconnect();
}
