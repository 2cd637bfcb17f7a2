/**
 * Group membership through kafkajs: joining, heartbeats, commits. Its consumer runs with every topic paused, since its
 * fetch loop waits for all batches of a broker before it fetches again, whichever partition is slow.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { AssignerProtocol, type Consumer, type Kafka, type PartitionAssigner } from 'kafkajs';
import type { Member, MemberOptions, TopicPartition } from '../client.ts';
import { assignSlots, SLOT_PROTOCOL } from '../slots.ts';

const RESTART_MS = 1_000;
/** kafkajs gives up after these and starts the consumer anew, which the retries here are not to delay for long. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8 };

export function joinGroup(kafka: Kafka, options: MemberOptions): Member {
  const { group, topics, sessionTimeoutMs, onError } = options;
  const holding = holdings(options);
  let consumer: Consumer | undefined;
  let closed = false;
  let restarting = false;
  const endWatch = whenSetBack(() => {
    onError(new Error('the clock of this machine was set back'));
    void again();
  });

  async function start(): Promise<void> {
    const starting = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs * 3,
      heartbeatInterval: Math.min(1_000, sessionTimeoutMs / 4),
      // Nothing is fetched, so this is how often the loop turns and looks whether a heartbeat is due.
      maxWaitTimeInMs: 250,
      partitionAssigners: [slotAssigner(holding)],
      retry: RETRY,
    });
    consumer = starting;
    starting.on(starting.events.GROUP_JOIN, ({ payload }) => {
      starting.pause(topics.map((topic) => ({ topic })));
      const assigned = Object.entries(payload.memberAssignment);
      holding.assigned(assigned.flatMap(([topic, numbers]) => numbers.map((partition) => ({ topic, partition }))));
    });
    starting.on(starting.events.CRASH, ({ payload }) => {
      onError(payload.error);
      if (!payload.restart) void again();
    });
    await starting.connect();
    await starting.subscribe({ topics: [...topics], fromBeginning: true });
    await starting.run({ autoCommit: false, eachBatch: async () => undefined });
    if (closed) await starting.disconnect();
  }

  async function again(): Promise<void> {
    if (restarting) return;
    restarting = true;
    await sleep(RESTART_MS);
    await consumer?.disconnect().catch(() => undefined);
    restarting = false;
    if (!closed) await supervise();
  }

  async function supervise(): Promise<void> {
    try {
      await start();
    } catch (error) {
      onError(error);
      await again();
    }
  }

  void supervise();
  return {
    async commit(positions) {
      if (!consumer) throw new Error('the consumer has not joined its group yet');
      await consumer.commitOffsets(
        positions.map(({ topic, partition, offset }) => ({ topic, partition, offset: String(offset) })),
      );
    },
    async close() {
      closed = true;
      endWatch();
      await consumer?.disconnect();
    },
  };
}

const LOOK_EVERY_MS = 1_000;

/**
 * kafkajs sends a heartbeat when the wall clock is so far beyond the last: once that is set back, none for as long, and the group
 * takes the member for dead without its noticing.
 * @returns what ends the watch.
 */
export function whenSetBack(act: () => void): () => void {
  let apart = Date.now() - performance.now();
  const timer = setInterval(() => {
    const before = apart;
    apart = Date.now() - performance.now();
    if (before - apart > LOOK_EVERY_MS) act();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

interface Holdings {
  assigned(partitions: readonly TopicPartition[]): void;
  /** True when nothing is held any more. Asked again until it is; the first time it begins to let go. */
  released(): boolean;
}

function holdings({ onRevoke, onAssign }: MemberOptions): Holdings {
  let state: 'free' | 'held' | 'releasing' = 'free';
  return {
    assigned(partitions) {
      state = 'held';
      onAssign(partitions);
    },
    released() {
      if (state === 'held') {
        state = 'releasing';
        void onRevoke().finally(() => {
          state = 'free';
        });
      }
      return state === 'free';
    },
  };
}

function slotAssigner(holding: Holdings): PartitionAssigner {
  return ({ cluster }) => ({
    name: SLOT_PROTOCOL,
    version: 0,
    protocol({ topics }) {
      // kafkajs has no hook that it awaits before it joins again. It does try a join again that a rebalance interrupted.
      if (!holding.released()) {
        throw Object.assign(new Error('handlers are still under way'), { type: 'REBALANCE_IN_PROGRESS' });
      }
      const metadata = AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) });
      return { name: SLOT_PROTOCOL, metadata };
    },
    async assign({ members }) {
      const subscribers = members.map(({ memberId, memberMetadata }) => ({
        id: memberId,
        topics: AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
      }));
      await cluster.addMultipleTargetTopics(subscribers.flatMap(({ topics }) => topics));
      const assigned = assignSlots(subscribers, (topic) => cluster.findTopicPartitionMetadata(topic).length);
      return [...assigned].map(([memberId, its]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment: Object.fromEntries([...its].map(([topic, numbers]) => [topic, [...numbers]])),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}
