/**
 * One subscription: a member of the group, a fetch loop over the partitions it was given, key queues over what comes, and
 * commits of the unbroken run of handled offsets. Whatever goes wrong between handling and committing leads to a second
 * delivery, never to a lost event.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asEngramError, type EngramError } from '@engram/errors';
import type { Logger } from '@engram/telemetry';
import { countDeadLetter, DEFAULT_RETRY_DELAYS_MS, deliver, retryDelay } from '../deliver.ts';
import { keyQueues } from '../key-queues.ts';
import { partitionOf } from '../partition.ts';
import type { SubscribeOptions, Subscription } from '../port.ts';
import { type UnbrokenRun, unbrokenRun } from '../unbroken-run.ts';
import {
  type FetchedRecord,
  type KafkaClient,
  keyOf,
  type LogReader,
  type Member,
  OffsetOutOfRange,
  type OutgoingRecord,
  type Position,
  type TopicPartition,
} from './client.ts';
import { outage, patiently } from './patience.ts';
import { deadRecord, eventOf, replaySince, retryRecord, type Try, tryOf } from './records.ts';
import type { Sender } from './sender.ts';
import type { Topics } from './topics.ts';

export interface SubscriptionEnvironment {
  readonly client: KafkaClient;
  readonly topics: Topics;
  readonly sender: Sender;
  readonly sessionTimeoutMs: number;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface KafkaSubscription extends Subscription {
  /** Resolves when the group has first handed out its partitions. Rejects when the topics cannot be used. */
  readonly started: Promise<void>;
}

/** Commits together this often: one request for many events. A crash in between delivers the last few again. */
const COMMIT_MS = 50;
/** Events read ahead of the position, per partition; then the partition is left out of the next fetch. */
const READ_AHEAD = 32;
const DEFAULT_CONCURRENCY = 4;
/** How long a fetch waits for news, and so how soon a partition that was left out is read again. */
const FETCH_WAIT_MS = 200;
const SEND_PATIENCE_MS = 2_000;

/**
 * `held`: read and handled. `released`: about to go to another member; what is under way may still end and be committed.
 * `gone`: nothing of it counts any more.
 */
type Hold = 'held' | 'released' | 'gone';

interface Partition {
  readonly at: TopicPartition;
  hold: Hold;
  /** Where to fetch. */
  next: number;
  /** What to commit: the offset after the unbroken run. */
  position: number;
  readonly run: UnbrokenRun;
  /** Of events that are not due yet. */
  readonly timers: Set<NodeJS.Timeout>;
}

export function openSubscription(options: SubscribeOptions, env: SubscriptionEnvironment): KafkaSubscription {
  const { client, sender, now, logger, sessionTimeoutMs } = env;
  const delays = options.retryDelaysMs ?? DEFAULT_RETRY_DELAYS_MS;
  const names = env.topics.group(options.group);
  const typeOf = new Map(options.types.map((type) => [env.topics.of(type), type]));
  const topics = [...new Set([...typeOf.keys(), ...delays.map(names.retry), names.again])];
  const queues = keyQueues(Math.max(1, options.concurrency ?? DEFAULT_CONCURRENCY));
  const partitions = new Map<string, Partition>();
  const toCommit = new Set<Partition>();
  const started = Promise.withResolvers<void>();
  const said = { group: options.group };
  const membership = outage(logger, 'the group could not be joined or kept', said);
  const fetching = outage(logger, 'events could not be fetched', said);
  const committing = outage(logger, 'positions could not be kept', said);
  const outcomes = outage(logger, 'an event’s outcome could not be kept', said);
  const wake = wakeable();
  let member: Member | undefined;
  let partitionCount = 0;
  /** Grows with every assignment and revocation, so that a slow answer to an older one is recognised. */
  let generation = 0;
  let closed = false;
  let commitTimer: NodeJS.Timeout | undefined;
  let commits: Promise<void> = Promise.resolve();

  const stopped = () => closed;

  async function start(): Promise<void> {
    await patiently(
      async () => {
        partitionCount = await env.topics.ensure(topics);
      },
      { stopped, onError: membership.failed },
    );
    if (closed) return;
    const callbacks = { onAssign: (assigned: readonly TopicPartition[]) => void adopt(assigned), onRevoke: release };
    member = client.join({ group: names.group, topics, sessionTimeoutMs, ...callbacks, onError: membership.failed });
  }

  /** Begins to read what was assigned, at what the group has committed. */
  async function adopt(assigned: readonly TopicPartition[]): Promise<void> {
    const mine = ++generation;
    const outdated = () => closed || mine !== generation;
    try {
      const positions = await patiently(() => committedOrOldest(assigned), {
        stopped: outdated,
        onError: membership.failed,
      });
      if (outdated()) return;
      membership.fine();
      for (const position of positions) hold(position, position.offset);
      wake.now();
      started.resolve();
    } catch (error) {
      // Only an assignment that is no longer this one ends in an error.
      logger.debug('an assignment was overtaken', { ...said, err: error });
    }
  }

  /** Where nothing is committed yet, the oldest offset is: from then on the group's lag counts it. */
  async function committedOrOldest(assigned: readonly TopicPartition[]): Promise<Position[]> {
    const committed = new Map((await client.committed(names.group)).map((at) => [keyOf(at), at]));
    const fresh = assigned.filter((at) => !committed.has(keyOf(at)));
    if (fresh.length > 0) {
      const oldest = await client.offsets([...new Set(fresh.map(({ topic }) => topic))], 'oldest');
      const wanted = new Set(fresh.map(keyOf));
      const begin = oldest.filter((at) => wanted.has(keyOf(at)));
      await member?.commit(begin);
      for (const at of begin) committed.set(keyOf(at), at);
    }
    return assigned.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: committed.get(keyOf({ topic, partition }))?.offset ?? 0,
    }));
  }

  function hold(at: TopicPartition, offset: number): Partition {
    const fresh: Partition = {
      at: { topic: at.topic, partition: at.partition },
      hold: 'held',
      next: offset,
      position: offset,
      run: unbrokenRun(),
      timers: new Set(),
    };
    partitions.set(keyOf(at), fresh);
    return fresh;
  }

  function letGo(partition: Partition, as: Hold): void {
    partition.hold = as;
    for (const timer of partition.timers) clearTimeout(timer);
    partition.timers.clear();
    if (as === 'gone') toCommit.delete(partition);
  }

  /** Before the group hands the partitions out anew: starts nothing more, ends what is under way, commits it. */
  async function release(): Promise<void> {
    generation++;
    const released = [...partitions.values()];
    partitions.clear();
    for (const partition of released) letGo(partition, 'released');
    const ended = queues.idle().then(commit);
    // A member that is silent for a whole session is taken for dead.
    await Promise.race([ended, atMost(sessionTimeoutMs / 2)]);
    for (const partition of released) letGo(partition, 'gone');
  }

  async function fetchLoop(): Promise<void> {
    let reader: LogReader | undefined;
    while (!closed) {
      const wanted = [...partitions.values()].filter(({ run }) => run.open < READ_AHEAD);
      if (wanted.length === 0) {
        await wake.soon(FETCH_WAIT_MS);
        continue;
      }
      await patiently(
        async () => {
          reader ??= await client.openReader();
          const positions = wanted.map(({ at, next }) => ({ ...at, offset: next }));
          accept(await reader.fetch(positions, FETCH_WAIT_MS).catch(skipLost), wanted);
          fetching.fine();
        },
        { stopped: () => closed || wanted.every((partition) => partition.hold !== 'held'), onError: fetching.failed },
      ).catch(() => undefined);
    }
    await reader?.close();
  }

  /** The cluster has dropped events that the group had not read: it goes on with the oldest that there are. */
  async function skipLost(error: unknown): Promise<readonly FetchedRecord[]> {
    if (!(error instanceof OffsetOutOfRange)) throw error;
    const lost = new Set(error.at.map(keyOf));
    const oldest = await client.offsets([...new Set(error.at.map(({ topic }) => topic))], 'oldest');
    for (const at of oldest) {
      const before = partitions.get(keyOf(at));
      if (!before || !lost.has(keyOf(at))) continue;
      logger.error('unread events are older than the topic’s retention and lost', { ...said, topic: at.topic });
      letGo(before, 'gone');
      toCommit.add(hold(at, at.offset));
      commitSoon();
    }
    return [];
  }

  function accept(records: readonly FetchedRecord[], asked: readonly Partition[]): void {
    const of = new Map(asked.map((partition) => [keyOf(partition.at), partition]));
    for (const record of records) {
      const partition = of.get(keyOf(record));
      if (partition?.hold !== 'held' || record.offset < partition.next) continue;
      partition.next = record.offset + 1;
      partition.run.begin(record.offset);
      schedule(partition, record);
    }
  }

  function schedule(partition: Partition, record: FetchedRecord): void {
    // No longer than any delay, whatever the clock said of whoever set it aside.
    const wait = Math.min(tryOf(record, undefined).due - now(), Math.max(...delays, 0));
    if (wait <= 0) {
      queue(partition, record);
      return;
    }
    const timer = setTimeout(() => {
      partition.timers.delete(timer);
      queue(partition, record);
    }, wait);
    partition.timers.add(timer);
  }

  function queue(partition: Partition, record: FetchedRecord): void {
    queues.add(record.key, async () => {
      if (partition.hold !== 'held') return;
      try {
        const since = replaySince(record);
        if (since) await goBack(record.partition, since);
        else await handle(partition, record);
      } catch (error) {
        // Not finished, so not committed: whoever reads the partition next has it again.
        logger.warn('an event was left to be delivered again', { ...said, err: error });
        return;
      }
      finish(partition, record.offset);
    });
  }

  async function handle(partition: Partition, record: FetchedRecord): Promise<void> {
    const it = tryOf(record, typeOf.get(record.topic));
    const cause = await outcomeOf(record, it);
    if (!cause) return;
    const failure = { at: now(), cause };
    const delay = retryDelay(cause, it.attempt, delays);
    if (delay === undefined) {
      await env.topics.ensureDeadLetters(names.deadLetters);
      await keep(deadRecord(record, { topic: names.deadLetters, partition: 0 }, it, failure), partition);
      return countDeadLetter(options.group, it.type, cause);
    }
    const to = { topic: names.retry(delay), partition: partitionOf(record.key, partitionCount) };
    return keep(retryRecord(record, to, it, failure, delay), partition);
  }

  async function outcomeOf(record: FetchedRecord, it: Try): Promise<EngramError | undefined> {
    const { group, handler } = options;
    const { type, attempt } = it;
    try {
      const event = eventOf(record, type);
      return await deliver({
        system: 'kafka',
        group,
        handler,
        type,
        partition: record.partition,
        attempt,
        event,
      });
    } catch (error) {
      return asEngramError(error, 'EVENT_INVALID');
    }
  }

  /** A failed event is set aside before it counts as finished, however long the broker is away. */
  async function keep(outcome: OutgoingRecord, partition: Partition): Promise<void> {
    const given = () => closed || partition.hold !== 'held';
    await patiently(() => sender.send([outcome], SEND_PATIENCE_MS), { stopped: given, onError: outcomes.failed });
    outcomes.fine();
  }

  function finish(partition: Partition, offset: number): void {
    const end = partition.run.finish(offset);
    if (end === undefined || partition.hold === 'gone') return;
    partition.position = end + 1;
    toCommit.add(partition);
    commitSoon();
    wake.now();
  }

  /** Replays: moves this partition number of every event topic back to an instant, if it is beyond. */
  async function goBack(number: number, since: Date): Promise<void> {
    const first = await patiently(() => client.offsets([...typeOf.keys()], since), { stopped });
    for (const at of first.filter(({ partition }) => partition === number)) {
      const before = partitions.get(keyOf(at));
      if (!before || before.position <= at.offset) continue;
      letGo(before, 'gone');
      toCommit.add(hold(at, at.offset));
    }
    commitSoon();
    wake.now();
  }

  function commitSoon(): void {
    commitTimer ??= setTimeout(() => void commit(), COMMIT_MS);
  }

  /** One commit at a time, so that a later one is never overtaken. */
  function commit(): Promise<void> {
    clearTimeout(commitTimer);
    commitTimer = undefined;
    commits = commits.then(commitAll);
    return commits;
  }

  async function commitAll(): Promise<void> {
    const batch = [...toCommit];
    toCommit.clear();
    if (batch.length === 0 || !member) return;
    try {
      await member.commit(batch.map(({ at, position }) => ({ ...at, offset: position })));
      committing.fine();
    } catch (error) {
      committing.failed(error);
      for (const partition of batch) if (partition.hold === 'held') toCommit.add(partition);
      if (toCommit.size > 0 && !closed) commitSoon();
    }
  }

  const loop = fetchLoop();
  start().catch(started.reject);
  // Whether anybody waits for it or not.
  started.promise.catch(() => undefined);
  return {
    started: started.promise,
    async close() {
      if (closed) return;
      closed = true;
      for (const partition of partitions.values()) for (const timer of partition.timers) clearTimeout(timer);
      await queues.close();
      await Promise.race([commit(), atMost(sessionTimeoutMs / 2)]);
      await member?.close();
      started.resolve();
      await loop;
    },
  };
}

/** Does not keep the process alive. */
const atMost = (ms: number) => sleep(ms, undefined, { ref: false });

function wakeable() {
  let waiting: (() => void) | undefined;
  return {
    now(): void {
      waiting?.();
    },
    /** Resolves when woken, or after `ms`. */
    async soon(ms: number): Promise<void> {
      const woken = new Promise<void>((resolve) => {
        waiting = resolve;
      });
      await Promise.race([woken, atMost(ms)]);
      waiting = undefined;
    },
  };
}
