/**
 * The topics of the bus, made when they are missing. One per event type, shared by all groups, and for each group: a retry
 * topic per delay, one for what it is asked to do again, and its dead letters. All but the last have the same number of
 * partitions, which is what keeps a key's events with one process.
 */
import { EngramError } from '@engram/errors';
import { eventTypes, topicOf } from '../validate.ts';
import type { KafkaClient } from './client.ts';
import { patiently } from './patience.ts';

const DEFAULT_PARTITIONS = 8;
const DAY_MS = 24 * 3_600_000;

export interface GroupTopics {
  /** The name under which the cluster knows the group. */
  readonly group: string;
  retry(delayMs: number): string;
  /** Redriven events, and requests to replay. */
  readonly again: string;
  readonly deadLetters: string;
}

export interface Topics {
  /** The cluster's name of an event type's topic. */
  of(type: string): string;
  group(group: string): GroupTopics;
  /** Makes what is missing. @returns the number of partitions of each. @throws CONFIG_INVALID when they differ. */
  ensure(topics: readonly string[]): Promise<number>;
  /** Makes a group's dead-letter topic, which keeps what it holds until it is redriven. */
  ensureDeadLetters(group: string): Promise<void>;
}

export interface TopicSettings {
  readonly prefix: string;
  readonly partitions?: number | undefined;
  readonly replication?: number | undefined;
  readonly retention_days: number;
}

export function openTopics(client: KafkaClient, settings: TopicSettings): Topics {
  const { prefix, replication = -1, retention_days } = settings;
  const of = (type: string) => `${prefix}${topicOf(type)}`;
  const ofEvents = new Set([...eventTypes].map(of));
  const isOfEvents = (topic: string): boolean => ofEvents.has(topic);
  const ensured = new Set<string>();
  let partitions: number | undefined;

  /** The cluster's own count wins: a key must stay in its partition for as long as the log lives. */
  async function countPartitions(): Promise<number> {
    const counts = await client.partitionCounts([...ofEvents]);
    agree(counts);
    return [...counts.values()][0] ?? settings.partitions ?? DEFAULT_PARTITIONS;
  }

  async function create(topics: readonly string[], count: number, retentionMs: number): Promise<void> {
    const config = { 'retention.ms': String(retentionMs), 'cleanup.policy': 'delete' };
    await client.createTopics(topics.map((topic) => ({ topic, partitions: count, replication, config })));
  }

  /** A topic is made at once and known to every broker a little later. */
  const countsOfAll = (names: readonly string[]) =>
    patiently(
      async () => {
        const counts = await client.partitionCounts(names);
        if (counts.size < names.length) throw new EngramError('UPSTREAM_FAILED', 'topics are still being made');
        return counts;
      },
      { patienceMs: 5_000 },
    );

  return {
    of,
    group(group) {
      if (!/^[a-zA-Z0-9._-]{1,150}$/.test(group)) {
        throw new EngramError('REQUEST_INVALID', 'a group is named with letters, digits, dots and dashes', {
          field: 'group',
        });
      }
      const name = `${prefix}${group}`;
      return {
        group: name,
        retry: (delayMs) => `${name}.retry.${delayName(delayMs)}`,
        again: `${name}.again`,
        deadLetters: `${name}.dead-letters`,
      };
    },

    async ensure(topics) {
      const missing = topics.filter((topic) => !ensured.has(topic));
      if (partitions !== undefined && missing.length === 0) return partitions;
      let count = partitions ?? (await countPartitions());
      // Those of events first: another process may have made them meanwhile with its own number, or the broker that was asked
      // may not have heard of them yet. The group's own topics then get the number that they have.
      const [own, others] = [missing.filter(isOfEvents), missing.filter((topic) => !isOfEvents(topic))];
      for (const some of [own, others].filter(({ length }) => length > 0)) {
        await create(some, count, retention_days * DAY_MS);
        const counts = await countsOfAll(some);
        count = [...counts.values()][0] ?? count;
      }
      agree(await countsOfAll(topics));
      // Only now: a number that the cluster has not confirmed would be kept for ever.
      for (const topic of missing) ensured.add(topic);
      partitions = count;
      return count;
    },

    async ensureDeadLetters(topic) {
      if (ensured.has(topic)) return;
      await create([topic], 1, -1);
      ensured.add(topic);
    },
  };
}

function agree(counts: ReadonlyMap<string, number>): void {
  if (new Set(counts.values()).size <= 1) return;
  const text = [...counts]
    .map(([topic, count]) => `${topic} has ${count}`)
    .sort()
    .join(', ');
  throw new EngramError('CONFIG_INVALID', `the topics must have one number of partitions: ${text}`, {
    field: 'ENGRAM_BUS_URL',
  });
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** `5s`, `1m`, `150ms`. Pure. */
export function delayName(delayMs: number): string {
  const [unit, size] = UNITS.find(([, ms]) => delayMs >= ms && delayMs % ms === 0) ?? ['ms', 1];
  return `${delayMs / size}${unit}`;
}
