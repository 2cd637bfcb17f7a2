/**
 * One subscription to the embedded log. It leases partitions, reads ahead in each, hands events to key queues and moves a
 * partition's position over the unbroken run of finished ones. Whatever goes wrong between handling and committing
 * leads to a second delivery, never to a lost event.
 */
import { randomUUID } from 'node:crypto';
import { gauge, type Logger } from '@engram/telemetry';
import { countDeadLetter, DEFAULT_RETRY_DELAYS_MS, deliver, retryDelay } from '../deliver.ts';
import { keyQueues } from '../key-queues.ts';
import type { SubscribeOptions, Subscription } from '../port.ts';
import { type UnbrokenRun, unbrokenRun } from '../unbroken-run.ts';
import type { Hold, Source, Store } from './store.ts';

export interface ReaderEnvironment {
  readonly now: () => number;
  /** How long a process that died keeps its partitions from the others. */
  readonly leaseMs: number;
  readonly logger: Logger;
}

export interface Reader extends Subscription {
  /** Looks for events and due retries, of these types only where given. Synchronous and quick. */
  wake(types?: ReadonlySet<string>): void;
  /** Renews leases and sees moved positions. */
  beat(): void;
}

/**
 * Positions are committed together this often: one wait for the disk for many events. A crash in between delivers the last
 * few again, which at-least-once allows.
 */
const COMMIT_MS = 10;

/** Events read ahead of the position, per partition. */
const READ_AHEAD = 16;
const DEFAULT_CONCURRENCY = 4;

interface Partition {
  readonly hold: Hold;
  readonly key: string;
  /** False once another owner or a replay took it: its queued events are dropped, to be delivered again. */
  live: boolean;
  draining: boolean;
  /** Last offset read. */
  fetched: number;
  readonly run: UnbrokenRun;
  /** The end of the unbroken run of finished offsets. */
  done: number;
}

interface Task {
  readonly partition: Partition;
  readonly source: Source;
  readonly event: unknown;
  readonly attempt: number;
  readonly publishedAt: number;
  readonly firstFailure: number | null;
}

export function openReader(
  store: Store,
  options: SubscribeOptions,
  { now, leaseMs, logger }: ReaderEnvironment,
): Reader {
  const { group, types, handler } = options;
  const delays = options.retryDelaysMs ?? DEFAULT_RETRY_DELAYS_MS;
  const owner = randomUUID();
  const queues = keyQueues(Math.max(1, options.concurrency ?? DEFAULT_CONCURRENCY));
  const partitions = new Map<string, Partition>();
  const retrying = new Set<number>();
  const toCommit = new Set<Partition>();
  let committing: NodeJS.Timeout | undefined;
  let closed = false;

  store.atOnce(() => {
    for (const type of types) store.register(group, type);
  });

  function drop(partition: Partition): void {
    partition.live = false;
    toCommit.delete(partition);
    if (partitions.get(partition.key) === partition) partitions.delete(partition.key);
  }

  function beat(): void {
    if (closed) return;
    const balanced = store.atOnce(() =>
      types.map((type) => [type, store.balance(group, type, owner, now(), leaseMs)] as const),
    );
    for (const [type, holds] of balanced) {
      const held = new Map(holds.map((hold) => [`${type}/${hold.partition}`, hold]));
      for (const partition of partitions.values()) {
        const hold = held.get(partition.key);
        if (partition.hold.type === type && hold?.epoch !== partition.hold.epoch) drop(partition);
      }
      for (const [key, hold] of held) {
        if (partitions.has(key)) continue;
        const fetched = hold.offset;
        partitions.set(key, {
          hold,
          key,
          live: true,
          draining: false,
          fetched,
          run: unbrokenRun(),
          done: fetched,
        });
      }
      const beyond = holds.slice(store.share(group, type));
      for (const { partition } of beyond) {
        const given = partitions.get(`${type}/${partition}`);
        if (given) given.draining = true;
      }
    }
    for (const partition of partitions.values()) giveBackWhenDrained(partition);
    const lag = store.lag(group, now());
    gauge('engram.bus.lag', lag.events, { 'messaging.consumer.group.name': group });
    gauge('engram.bus.lag.age', lag.seconds, { 'messaging.consumer.group.name': group });
    wake();
  }

  function giveBackWhenDrained(partition: Partition): void {
    if (!partition.draining || !partition.live || partition.run.open > 0 || toCommit.has(partition)) return;
    drop(partition);
    store.release(partition.hold, owner);
  }

  function fill(partition: Partition): void {
    const room = READ_AHEAD - partition.run.open;
    if (closed || !partition.live || partition.draining || room <= 0) return;
    for (const { offset, event, publishedAt } of store.read(partition.hold, partition.fetched, room)) {
      partition.fetched = offset;
      partition.run.begin(offset);
      queue({ partition, source: { log: offset }, event, attempt: 1, publishedAt, firstFailure: null });
    }
  }

  function wake(only?: ReadonlySet<string>): void {
    if (closed) return;
    const wanted = only ? types.filter((type) => only.has(type)) : types;
    for (const partition of partitions.values()) if (wanted.includes(partition.hold.type)) fill(partition);
    for (const type of wanted) {
      const mine = [...partitions.values()].filter(({ hold, draining }) => hold.type === type && !draining);
      const numbers = mine.map(({ hold }) => hold.partition);
      for (const { id, partition: number, ...retry } of store.dueRetries(group, type, numbers, now())) {
        const partition = partitions.get(`${type}/${number}`);
        if (!partition || retrying.has(id)) continue;
        retrying.add(id);
        queue({ partition, source: { retry: id }, ...retry });
      }
    }
  }

  function queue(task: Task): void {
    queues.add(keyOf(task.event), async () => {
      try {
        if (task.partition.live) await handle(task);
      } catch (error) {
        // The store could not take the outcome (a full disk): read the partition again, from what it does hold.
        drop(task.partition);
        logger.warn('an event’s outcome could not be kept; it will be delivered again', { err: error, group });
      } finally {
        if ('retry' in task.source) retrying.delete(task.source.retry);
      }
    });
  }

  async function handle(task: Task): Promise<void> {
    const { partition, source, event, attempt, publishedAt } = task;
    const { type, partition: number } = partition.hold;
    const cause = await deliver({ system: 'engram', group, handler, type, partition: number, attempt, event });
    if (!cause) {
      if ('retry' in source) store.doneRetry(source.retry);
    } else {
      const firstFailure = task.firstFailure ?? now();
      const failure = { event, attempt, publishedAt, firstFailure, now: now() };
      const delay = retryDelay(cause, attempt, delays);
      if (delay === undefined) {
        store.bury(partition.hold, source, failure, cause);
        countDeadLetter(group, type, cause);
      } else store.retryLater(partition.hold, source, failure, now() + delay);
    }
    if ('log' in source) finish(partition, source.log);
  }

  function finish(partition: Partition, offset: number): void {
    if (!partition.live) return;
    const end = partition.run.finish(offset);
    if (end !== undefined) {
      partition.done = end;
      toCommit.add(partition);
    }
    if (toCommit.size > 0) committing ??= setTimeout(commit, COMMIT_MS);
    fill(partition);
  }

  function commit(): void {
    clearTimeout(committing);
    committing = undefined;
    const batch = [...toCommit];
    toCommit.clear();
    try {
      const lost = store.atOnce(() => batch.filter(({ hold, done }) => !store.advance(hold, done)));
      for (const partition of lost) drop(partition);
    } catch (error) {
      for (const partition of batch) drop(partition);
      logger.warn('positions could not be kept; their events will be delivered again', { err: error, group });
    }
    for (const partition of batch) giveBackWhenDrained(partition);
  }

  beat();
  return {
    wake,
    beat,
    async close() {
      if (closed) return;
      closed = true;
      await queues.close();
      commit();
      for (const partition of partitions.values()) store.release(partition.hold, owner);
      for (const type of types) store.leave(group, type, owner);
    },
  };
}

function keyOf(event: unknown): string {
  return typeof event === 'object' && event !== null && 'partitionkey' in event ? String(event.partitionkey) : '';
}
