/** A cluster in memory behind the client interface, for what a real broker does too seldom: slow, failing, taking back. */
import {
  type FetchedRecord,
  type KafkaClient,
  keyOf,
  type MemberOptions,
  type OutgoingRecord,
  type Position,
} from './client.ts';

export interface MemoryCluster {
  readonly client: KafkaClient;
  readonly logs: ReadonlyMap<string, readonly FetchedRecord[]>;
  /** What the group has committed, by topic and partition. */
  readonly committed: ReadonlyMap<string, Position>;
  /** Each fetch's positions. */
  readonly fetches: readonly (readonly Position[])[];
  /** While it returns an error, requests of that kind fail with it. */
  fail: Partial<Record<'send' | 'fetch' | 'commit' | 'committed', Error | undefined>>;
  /** Hands the partitions to somebody else and, when they are let go, back to the member. */
  rebalance(): Promise<void>;
}

export function memoryCluster(partitions: number): MemoryCluster {
  const logs = new Map<string, FetchedRecord[]>();
  const committed = new Map<string, Position>();
  const fetches: (readonly Position[])[] = [];
  const counts = new Map<string, number>();
  let member: MemberOptions | undefined;

  const cluster: MemoryCluster = { client: client(), logs, committed, fetches, fail: {}, rebalance };

  function check(kind: keyof MemoryCluster['fail']): void {
    const error = cluster.fail[kind];
    if (error) throw error;
  }

  function append({ topic, partition, key, value, headers, timestamp }: OutgoingRecord): void {
    const at = keyOf({ topic, partition });
    const log = logs.get(at) ?? [];
    const bytes = value === null ? null : Buffer.from(value);
    logs.set(at, [...log, { topic, partition, key, value: bytes, headers, timestamp, offset: log.length }]);
  }

  const assignment = (topics: readonly string[]) =>
    topics.flatMap((topic) => Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })));

  async function rebalance(): Promise<void> {
    await member?.onRevoke();
    member?.onAssign(assignment(member.topics));
  }

  function client(): KafkaClient {
    return {
      async createTopics(topics) {
        for (const { topic, partitions: count } of topics) if (!counts.has(topic)) counts.set(topic, count);
      },
      partitionCounts: async (topics) =>
        new Map(topics.filter((topic) => counts.has(topic)).map((topic) => [topic, counts.get(topic) ?? partitions])),
      async send(records) {
        check('send');
        for (const record of records) append(record);
      },
      async committed() {
        check('committed');
        return [...committed.values()];
      },
      offsets: async (topics, at) =>
        assignment(topics).flatMap((it) => {
          const log = logs.get(keyOf(it)) ?? [];
          if (typeof at === 'string') return [{ ...it, offset: at === 'end' ? log.length : 0 }];
          const offset = log.findIndex(({ timestamp }) => timestamp >= at.getTime());
          return offset < 0 ? [] : [{ ...it, offset }];
        }),
      openReader: async () => ({
        async fetch(positions) {
          check('fetch');
          fetches.push(positions);
          const found = positions.flatMap((at) => (logs.get(keyOf(at)) ?? []).slice(at.offset));
          if (found.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
          return found;
        },
        close: async () => undefined,
      }),
      join(options) {
        member = options;
        setImmediate(() => options.onAssign(assignment(options.topics)));
        return {
          async commit(positions) {
            check('commit');
            for (const at of positions) committed.set(keyOf(at), at);
          },
          async close() {
            member = undefined;
          },
        };
      },
      close: async () => undefined,
    };
  }

  return cluster;
}
