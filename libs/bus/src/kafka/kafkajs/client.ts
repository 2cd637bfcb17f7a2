/** The bus's Kafka client on kafkajs. */
import { randomUUID } from 'node:crypto';
import { type Cluster, Kafka, logLevel, type SASLOptions } from 'kafkajs';
import type { ClientOptions, KafkaClient, Position } from '../client.ts';
import './calm-queue.ts';
import { openCluster } from './cluster.ts';
import { joinGroup } from './member.ts';
import { openReader } from './reader.ts';

const ALL_REPLICAS = -1;
/** The adapter tries again by itself, so that one failed request is soon known. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 };

/** One object a mechanism: kafkajs's types tell them apart by it. */
function saslOf({ mechanism, username, password }: NonNullable<ClientOptions['login']>): SASLOptions {
  const credentials = { username, password };
  if (mechanism === 'plain') return { mechanism, ...credentials };
  return mechanism === 'scram-sha-256' ? { mechanism, ...credentials } : { mechanism, ...credentials };
}

/** Connects to nothing yet. */
export const kafkaOf = ({ brokers, clientId, tls, login }: ClientOptions): Kafka =>
  new Kafka({
    clientId,
    brokers: [...brokers],
    ssl: tls,
    ...(login ? { sasl: saslOf(login) } : {}),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry: RETRY,
  });

export function openKafkajs(options: ClientOptions): KafkaClient {
  const { clientId } = options;
  const kafka = kafkaOf(options);
  // Never joined: it names the connections that only read.
  const readerGroup = `${clientId}-reader-${randomUUID()}`;
  const admin = kafka.admin({ retry: RETRY });
  // Not idempotent on purpose: kafkajs gives the sequence numbers of a batch it gave up on to the next one, which the
  // broker then takes for a repeat and drops. One request at a time keeps the order; ids tell a repeat.
  const producer = kafka.producer({
    idempotent: false,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
    // It sends a whole request again where one partition of it failed: the sender splits it.
    retry: { ...RETRY, retries: 0 },
  });
  const log = openCluster(kafka, readerGroup);
  const adminReady = once(() => admin.connect());
  const producerReady = once(() => producer.connect());

  return {
    async createTopics(topics) {
      await adminReady();
      await admin.createTopics({
        waitForLeaders: true,
        topics: topics.map(({ topic, partitions, replication, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      });
    },

    async partitionCounts(topics) {
      await adminReady();
      const existing = new Set(await admin.listTopics());
      const asked = topics.filter((topic) => existing.has(topic));
      if (asked.length === 0) return new Map();
      const metadata = await admin.fetchTopicMetadata({ topics: asked });
      return new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
    },

    async send(records) {
      await producerReady();
      const topicMessages = [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, its]) => ({
        topic,
        messages: its.map(({ partition, key, value, headers, timestamp }) => ({
          partition,
          key,
          value: value === null || typeof value === 'string' ? value : Buffer.from(value),
          headers: { ...headers },
          timestamp: String(timestamp),
        })),
      }));
      await producer.sendBatch({ acks: ALL_REPLICAS, topicMessages });
    },

    async committed(group) {
      await adminReady();
      const topics = await admin.fetchOffsets({ groupId: group });
      return positions(topics);
    },

    async offsets(topics, at) {
      try {
        const cluster = await log.knowing(topics);
        const from = typeof at === 'string' ? { fromBeginning: at === 'oldest' } : { fromTimestamp: at.getTime() };
        const asked = topics.map((topic) => ({ topic, partitions: partitionsOf(cluster, topic), ...from }));
        return positions(await cluster.fetchTopicsOffset(asked));
      } catch (error) {
        log.stale(error);
        throw error;
      }
    },

    openReader: () => openReader(kafka, readerGroup),
    join: (options) => joinGroup(kafka, options),
    async close() {
      await Promise.allSettled([producer.disconnect(), admin.disconnect(), log.close()]);
    },
  };
}

const partitionsOf = (cluster: Cluster, topic: string) =>
  cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId }));

/** A negative offset is Kafka's way to say that there is none. */
function positions(
  topics: readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[],
): Position[] {
  return topics
    .flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
    )
    .filter(({ offset }) => offset >= 0);
}

/** Runs until it has succeeded once. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}
