/**
 * What the bus needs of a Kafka client library, and nothing more: the adapter is written once over this, each library
 * once below it. Fetching is apart from membership, because neither library can hold back one partition (an event not yet
 * due, a full queue) without holding back others. Offsets are exact below 2^53; times are milliseconds since the epoch.
 */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface Position extends TopicPartition {
  readonly offset: number;
}

export interface OutgoingRecord extends TopicPartition {
  readonly key: string;
  readonly value: string | Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
}

export interface FetchedRecord extends Position {
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
}

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** -1: the cluster's default. */
  readonly replication: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Reads any partition at any offset, without a group. Not for two fetches at once. */
export interface LogReader {
  /**
   * What follows each position, within `waitMs`; empty when nothing does.
   * @throws OffsetOutOfRange when the log no longer holds one of the positions.
   */
  fetch(positions: readonly Position[], waitMs: number): Promise<readonly FetchedRecord[]>;
  close(): Promise<void>;
}

export class OffsetOutOfRange extends Error {
  readonly at: readonly TopicPartition[];
  constructor(at: readonly TopicPartition[], cause: unknown) {
    super('the log does not hold this offset any more', { cause });
    this.at = at;
  }
}

export interface MemberOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  /** Called before each join but the first: what was assigned is about to go to others. Awaited, so keep it short. */
  readonly onRevoke: () => Promise<void>;
  /** Called after each join. */
  readonly onAssign: (assigned: readonly TopicPartition[]) => void;
  /** Something failed that the member will try again by itself. */
  readonly onError: (error: unknown) => void;
}

/** One member of a consumer group. It joins, and joins again for as long as it is open, whatever fails. */
export interface Member {
  commit(positions: readonly Position[]): Promise<void>;
  /** Leaves the group, so that the others need not wait for the session to end. */
  close(): Promise<void>;
}

export interface KafkaClient {
  /** Creates what is missing and leaves what exists. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Those of `topics` that exist, with their number of partitions. */
  partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Resolves when every record lies on all in-sync replicas. Not for two sends at once. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /** Everything that a group has committed. */
  committed(group: string): Promise<readonly Position[]>;
  /** Of each partition of these topics: the oldest offset, the one after the newest, or the first at an instant. */
  offsets(topics: readonly string[], at: 'oldest' | 'end' | Date): Promise<readonly Position[]>;
  openReader(): Promise<LogReader>;
  join(options: MemberOptions): Member;
  close(): Promise<void>;
}

export interface ClientOptions {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls: boolean;
  readonly login?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
}

export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
