/**
 * The record store: documents by id, one collection a kind, single-document atomicity only (what SQLite and a
 * MongoDB-wire server both give). A state change and its events leave together: `events` are written into the same
 * record and published from there by the outbox relay of libs/bus.
 */
import type { EngramEvent } from '@engram/contracts';

export type Scalar = string | number | boolean | null;
export type Condition =
  | Scalar
  | { readonly in: readonly Scalar[] }
  | {
      readonly gte?: string | number;
      readonly gt?: string | number;
      readonly lt?: string | number;
      readonly lte?: string | number;
    };
/** Dotted paths into the value; all must hold. Only paths listed in the collection's `indexes` or `unique` may be used. */
export type Where = Readonly<Record<string, Condition>>;

export type OrderBy = readonly (readonly [path: string, direction: 'asc' | 'desc'])[];

export interface OrderedSearch {
  /** Dotted paths that are compared for equality. */
  readonly where: readonly string[];
  /** Then the order, in which the first records are found without a look at the others. */
  readonly orderBy: OrderBy;
}

export interface CollectionDefinition<T> {
  /** `service.noun`, such as `preprocessing.runs`: no two services share a collection. */
  readonly name: string;
  /** Each entry is a tuple of dotted paths whose values must be unique together; null or absent values do not collide. */
  readonly unique?: readonly (readonly string[])[];
  /** Dotted paths that may be searched and ordered by; absent and null values come first in ascending order. */
  readonly indexes?: readonly string[];
  /** Searches that cost the same however many records match; their paths may be searched as those of `indexes`. */
  readonly ordered?: readonly OrderedSearch[];
  /** Phantom: carries the value's type. */
  readonly value?: T;
}

export interface Lease {
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export interface StoredRecord<T> {
  readonly id: string;
  /** 1 on insert, +1 on each write and claim: the optimistic lock, and the fence against an owner whose lease ran out. */
  readonly revision: number;
  readonly value: T;
  readonly lease: Lease | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface WriteOptions {
  /** Events that this write makes true: stored in the record, published from there, at least once. */
  readonly events?: readonly EngramEvent[];
  /** The record disappears some time after this instant (epoch ms); null keeps it for ever. */
  readonly expiresAt?: number | null;
}

export interface FindOptions {
  readonly where?: Where;
  /** Then by id, in the direction of the last path. */
  readonly orderBy?: OrderBy;
  /** Default 100, at most 1000. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface RecordPage<T> {
  readonly records: readonly StoredRecord<T>[];
  readonly next: string | null;
}

export interface Collection<T> {
  readonly name: string;
  get(id: string): Promise<StoredRecord<T> | undefined>;
  /** @throws RECORD_EXISTS when the id or a unique tuple is taken. */
  insert(id: string, value: T, options?: WriteOptions): Promise<StoredRecord<T>>;
  /** @throws RECORD_CONFLICT when the revision is not the current one; RECORD_EXISTS on a unique tuple. */
  replace(id: string, revision: number, value: T, options?: WriteOptions): Promise<StoredRecord<T>>;
  /** Events not yet published still leave. Second time does no harm. @throws RECORD_CONFLICT when a revision is given and not current. */
  remove(id: string, revision?: number): Promise<void>;
  find(options?: FindOptions): Promise<RecordPage<T>>;
  count(where?: Where): Promise<number>;
  /** Takes the first record that matches and whose lease is free or run out, atomically; undefined when there is none. */
  claim(
    options: FindOptions & { readonly owner: string; readonly leaseMs: number; readonly now?: number },
  ): Promise<StoredRecord<T> | undefined>;
  /** @throws LEASE_LOST when someone else holds it meanwhile. */
  renew(id: string, owner: string, leaseMs: number, now?: number): Promise<void>;
  /** Second time does no harm. */
  release(id: string, owner: string): Promise<void>;
  /**
   * Outbox: events written but not yet marked published, oldest first.
   * @param idleMs only of records that nobody has written to for so long: whoever writes tells `onEvents` what waits there.
   */
  pendingEvents(limit: number, idleMs?: number): Promise<readonly PendingRecordEvent[]>;
  markPublished(published: readonly { readonly id: string; readonly eventId: string }[]): Promise<void>;
}

export interface PendingRecordEvent {
  /** Of the record. */
  readonly id: string;
  readonly event: EngramEvent;
}

/** What a record holds unpublished after a write, oldest first: also what earlier writes left, by whatever process. */
export interface Waiting {
  readonly collection: string;
  /** Of the record. */
  readonly id: string;
  readonly events: readonly EngramEvent[];
}

export interface Records {
  collection<T>(definition: CollectionDefinition<T>): Collection<T>;
  /** Every collection opened so far: what the outbox relay walks over. */
  readonly collections: readonly Collection<unknown>[];
  /** Called after a write that carried events, so that the relay need not look for them; best effort. */
  onEvents(listener: (waiting: Waiting) => void): () => void;
  close(): Promise<void>;
}

/**
 * Read, decide, write; again on a conflict. `decide` returns undefined to leave the record as it is.
 * @throws RECORD_CONFLICT after 20 tries.
 */
export type Modify = <T>(
  collection: Collection<T>,
  id: string,
  decide: (current: T | undefined) => { readonly value: T; readonly options?: WriteOptions } | undefined,
) => Promise<StoredRecord<T> | undefined>;
