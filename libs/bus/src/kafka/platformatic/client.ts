/** The bus's Kafka client on @platformatic/kafka. */
import { Admin, findErrorBy, Producer } from '@platformatic/kafka';
import type { ClientOptions, KafkaClient, OutgoingRecord } from '../client.ts';
import { connectionOf } from './connection.ts';
import { joinGroup } from './member.ts';
import { openReader } from './reader.ts';

const OLDEST = -2n;
const END = -1n;

export function openPlatformatic(options: ClientOptions): KafkaClient {
  const { clientId } = options;
  const connection = connectionOf(options);
  const admin = new Admin(connection);
  const producer = new Producer({ ...connection, idempotent: true });

  async function partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const existing = new Set(await admin.listTopics());
    const asked = topics.filter((topic) => existing.has(topic));
    if (asked.length === 0) return new Map();
    const metadata = await admin.metadata({ topics: asked, forceUpdate: true });
    return new Map([...metadata.topics].map(([topic, { partitionsCount }]) => [topic, partitionsCount]));
  }

  return {
    partitionCounts,
    async createTopics(topics) {
      const existing = await partitionCounts(topics.map(({ topic }) => topic));
      const missing = topics.filter(({ topic }) => !existing.has(topic));
      // One request has one configuration.
      for (const same of Map.groupBy(missing, ({ config }) => JSON.stringify(config)).values()) {
        const configs = Object.entries(same[0]?.config ?? {}).map(([name, value]) => ({ name, value }));
        const wanted = same.map(({ topic, partitions, replication }) => ({ topic, partitions, replicas: replication }));
        await admin.createTopics({ topics: wanted, configs }).catch(unlessThere);
      }
    },

    async send(records) {
      await producer.send({ messages: records.map(messageOf) });
    },

    async committed(group) {
      const [found] = await admin.listConsumerGroupOffsets({ groups: [group] });
      return (found?.topics ?? [])
        .flatMap(({ name: topic, partitions }) =>
          partitions.map(({ partitionIndex, committedOffset }) => ({
            topic,
            partition: partitionIndex,
            offset: Number(committedOffset),
          })),
        )
        .filter(({ offset }) => offset >= 0);
    },

    async offsets(topics, at) {
      const timestamp = at === 'oldest' ? OLDEST : at === 'end' ? END : BigInt(at.getTime());
      const counts = await partitionCounts(topics);
      const asked = [...counts].map(([name, count]) => ({
        name,
        partitions: Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp })),
      }));
      if (asked.length === 0) return [];
      return (await admin.listOffsets({ topics: asked }))
        .flatMap(({ name: topic, partitions }) =>
          partitions.map(({ partitionIndex, offset }) => ({
            topic,
            partition: partitionIndex,
            offset: Number(offset),
          })),
        )
        .filter(({ offset }) => offset >= 0);
    },

    // Never joined: it names the connections that only read.
    openReader: () => openReader(connection, `${clientId}-reader`),
    join: (options) => joinGroup(connection, options),
    async close() {
      await Promise.allSettled([producer.close(), admin.close()]);
    },
  };
}

function messageOf({ topic, partition, key, value, headers, timestamp }: OutgoingRecord) {
  return {
    topic,
    partition,
    key: Buffer.from(key),
    ...(value === null ? {} : { value: Buffer.from(value) }),
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
    timestamp: BigInt(timestamp),
  };
}

function unlessThere(error: unknown): void {
  if (error instanceof Error && findErrorBy(error, 'apiId', 'TOPIC_ALREADY_EXISTS')) return;
  throw error;
}
