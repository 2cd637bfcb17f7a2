/** Fetching through kafkajs: requests to the brokers that lead the partitions, without its consumer loop. */
import type { Cluster, Kafka } from 'kafkajs';
import { type FetchedRecord, keyOf, type LogReader, OffsetOutOfRange, type Position } from '../client.ts';
import { openCluster } from './cluster.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 256 * 1024;
/** Uncommitted transactions are not to be seen; nobody here uses them, others may. */
const READ_COMMITTED = 1;

/** What kafkajs decodes of a fetch response; its types leave it open. */
interface FetchResponse {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly DecodedMessage[] }[];
  }[];
}

interface DecodedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | readonly Buffer[] | undefined>>;
  readonly isControlRecord?: boolean;
}

export async function openReader(kafka: Kafka, readerGroup: string): Promise<LogReader> {
  const brokers = openCluster(kafka, readerGroup);

  async function fetchFrom(cluster: Cluster, nodeId: string, positions: readonly Position[], waitMs: number) {
    const broker = await cluster.findBroker({ nodeId });
    const topics = [...Map.groupBy(positions, ({ topic }) => topic)].map(([topic, at]) => ({
      topic,
      partitions: at.map(({ partition, offset }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: PARTITION_BYTES,
      })),
    }));
    const response: FetchResponse = await broker.fetch({
      isolationLevel: READ_COMMITTED,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      topics,
    });
    return recordsOf(response, positions);
  }

  return {
    async fetch(positions, waitMs) {
      try {
        const cluster = await brokers.knowing([...new Set(positions.map(({ topic }) => topic))]);
        const byLeader = Map.groupBy(positions, (at) => leaderOf(cluster, at));
        const fetched = await Promise.all(
          [...byLeader].map(([nodeId, its]) => fetchFrom(cluster, nodeId, its, waitMs)),
        );
        return fetched.flat();
      } catch (error) {
        brokers.stale(error);
        throw outOfRange(error) ?? error;
      }
    },
    close: () => brokers.close(),
  };
}

export function leaderOf(cluster: Cluster, { topic, partition }: { topic: string; partition: number }): string {
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) throw new Error(`partition ${partition} of ${topic} has no leader`);
  return nodeId;
}

function recordsOf({ responses }: FetchResponse, positions: readonly Position[]): FetchedRecord[] {
  const from = new Map(positions.map((at) => [keyOf(at), at.offset]));
  return responses.flatMap(({ topicName: topic, partitions }) =>
    partitions.flatMap(({ partition, messages }) =>
      messages
        // A batch is stored whole, so it may begin before the offset that was asked for.
        .filter((it) => !it.isControlRecord && Number(it.offset) >= (from.get(keyOf({ topic, partition })) ?? 0))
        .map((it) => ({
          topic,
          partition,
          offset: Number(it.offset),
          timestamp: Number(it.timestamp),
          key: it.key?.toString('utf8') ?? '',
          value: it.value,
          headers: textHeaders(it.headers ?? {}),
        })),
    ),
  );
}

function textHeaders(headers: NonNullable<DecodedMessage['headers']>): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, given] of Object.entries(headers)) {
    const first = Array.isArray(given) ? given[0] : given;
    if (first !== undefined) text[name] = first.toString('utf8');
  }
  return text;
}

function outOfRange(error: unknown): OffsetOutOfRange | undefined {
  if (!(error instanceof Error) || error.name !== 'KafkaJSOffsetOutOfRange') return undefined;
  if (!('topic' in error && 'partition' in error)) return undefined;
  return new OffsetOutOfRange([{ topic: String(error.topic), partition: Number(error.partition) }], error);
}
