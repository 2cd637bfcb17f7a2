/** Fetching through @platformatic/kafka: its consumer's single requests, without its stream. */
import { Consumer, findErrorBy, IS_CONTROL } from '@platformatic/kafka';
import {
  type FetchedRecord,
  keyOf,
  type LogReader,
  OffsetOutOfRange,
  type Position,
  type TopicPartition,
} from '../client.ts';
import type { Connection } from './connection.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 256 * 1024;
const OFFSET_OUT_OF_RANGE = 1;
/** Uncommitted transactions are not to be seen; nobody here uses them, others may. */
const READ_COMMITTED = 1;
const ANY_EPOCH = -1;

type Topics = ReadonlyMap<string, string>;
type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

export async function openReader(connection: Connection, readerGroup: string): Promise<LogReader> {
  const consumer = new Consumer({ ...connection, groupId: readerGroup });

  async function fetchFrom(node: number, positions: readonly (Position & { topicId: string })[], waitMs: number) {
    const topics = [...Map.groupBy(positions, ({ topicId }) => topicId)].map(([topicId, at]) => ({
      topicId,
      partitions: at.map(({ partition, offset }) => ({
        partition,
        fetchOffset: BigInt(offset),
        partitionMaxBytes: PARTITION_BYTES,
        currentLeaderEpoch: ANY_EPOCH,
        lastFetchedEpoch: ANY_EPOCH,
      })),
    }));
    const options = { node, topics, maxWaitTime: waitMs, maxBytes: MAX_BYTES, isolationLevel: READ_COMMITTED };
    return recordsOf(await consumer.fetch(options), positions);
  }

  return {
    async fetch(positions, waitMs) {
      const topics = [...new Set(positions.map(({ topic }) => topic))];
      for (const topic of topics) if (!consumer.topics.has(topic)) consumer.topics.track(topic);
      const metadata = await consumer.metadata({ topics });
      const led = positions.map((at) => {
        const topic = metadata.topics.get(at.topic);
        return { ...at, topicId: topic?.id ?? '', leader: topic?.partitions[at.partition]?.leader ?? -1 };
      });
      const byLeader = Map.groupBy(led, ({ leader }) => leader);
      try {
        return (await Promise.all([...byLeader].map(([node, its]) => fetchFrom(node, its, waitMs)))).flat();
      } catch (error) {
        consumer.clearMetadata();
        throw outOfRange(error, new Map(led.map(({ topicId, topic }) => [topicId, topic]))) ?? error;
      }
    },
    close: () => consumer.close(),
  };
}

function recordsOf(response: FetchResponse, positions: readonly (Position & { topicId: string })[]): FetchedRecord[] {
  const names: Topics = new Map(positions.map(({ topicId, topic }) => [topicId, topic]));
  const from = new Map(positions.map((at) => [keyOf(at), at.offset]));
  return response.responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap(({ partitionIndex: partition, records: batches }) => {
      const topic = names.get(topicId) ?? '';
      const first = from.get(keyOf({ topic, partition })) ?? Number.POSITIVE_INFINITY;
      return (
        (batches ?? [])
          .filter((batch) => (batch.attributes & IS_CONTROL) === 0)
          .flatMap((batch) =>
            batch.records.map((record) => ({
              topic,
              partition,
              offset: Number(batch.firstOffset) + record.offsetDelta,
              timestamp: Number(batch.firstTimestamp + record.timestampDelta),
              key: record.key?.toString('utf8') ?? '',
              value: record.value,
              headers: Object.fromEntries(
                record.headers.map(([name, value]) => [String(name ?? ''), value?.toString('utf8') ?? '']),
              ),
            })),
          )
          // A batch is stored whole, so it may begin before the offset that was asked for.
          .filter(({ offset }) => offset >= first)
      );
    }),
  );
}

function outOfRange(error: unknown, names: Topics): OffsetOutOfRange | undefined {
  if (!(error instanceof Error)) return undefined;
  if (!findErrorBy(error, 'apiId', 'OFFSET_OUT_OF_RANGE')) return undefined;
  const response: FetchResponse | undefined = findErrorBy(error, 'code', 'PLT_KFK_RESPONSE')?.['response'];
  if (!response) return undefined;
  const at: TopicPartition[] = response.responses.flatMap(({ topicId, partitions }) =>
    partitions
      .filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE)
      .map(({ partitionIndex }) => ({ topic: names.get(topicId) ?? '', partition: partitionIndex })),
  );
  return new OffsetOutOfRange(at, error);
}
