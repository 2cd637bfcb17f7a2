/** Group membership through @platformatic/kafka: joining, heartbeats, commits, without its stream. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer, type ExtendedGroupProtocolSubscription } from '@platformatic/kafka';
import type { Member, MemberOptions } from '../client.ts';
import { assignSlots, SLOT_PROTOCOL } from '../slots.ts';
import type { Connection } from './connection.ts';

const REJOIN_MS = 1_000;
const ANY_EPOCH = -1;

export function joinGroup(connection: Connection, options: MemberOptions): Member {
  const { group, topics, sessionTimeoutMs, onRevoke, onAssign, onError } = options;
  let holds = false;
  let closed = false;
  let joining = false;

  const consumer = new Consumer({
    ...connection,
    groupId: group,
    // With retries of its own, a commit that finds its generation gone would join again inside the commit, and then
    // commit for partitions that another member has by now.
    retries: 0,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs * 3,
    heartbeatInterval: Math.min(1_000, sessionTimeoutMs / 4),
    protocols: [{ name: SLOT_PROTOCOL, version: 0 }],
    partitionAssigner: (_leader, members, _topics, metadata) =>
      [...assignSlots(subscribers(members), (topic) => metadata.topics.get(topic)?.partitionsCount ?? 0)].map(
        ([memberId, its]) => ({
          memberId,
          assignments: new Map([...its].map(([topic, partitions]) => [topic, { topic, partitions: [...partitions] }])),
        }),
      ),
    async protocolsMetadata() {
      if (holds) await onRevoke();
      holds = false;
      return Buffer.alloc(0);
    },
  });
  consumer.topics.trackAll(...topics);
  consumer.on('consumer:group:join', ({ assignments = [] }) => {
    holds = true;
    onAssign(assignments.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))));
  });
  consumer.on('consumer:heartbeat:error', ({ error }) => onError(error));
  // A join that a heartbeat began and that failed: no heartbeat follows it, so it is begun again here.
  consumer.on('error', (error: Error) => {
    onError(error);
    void join();
  });

  async function join(): Promise<void> {
    if (joining) return;
    joining = true;
    while (!closed) {
      try {
        await consumer.joinGroup({});
        break;
      } catch (error) {
        if (!closed) onError(error);
        await sleep(REJOIN_MS);
      }
    }
    joining = false;
  }

  void join();
  return {
    async commit(positions) {
      const offsets = positions.map(({ topic, partition, offset }) => ({
        topic,
        partition,
        offset: BigInt(offset),
        leaderEpoch: ANY_EPOCH,
      }));
      await consumer.commit({ offsets });
    },
    async close() {
      closed = true;
      await consumer.close(true);
    },
  };
}

const subscribers = (members: ReadonlyMap<string, ExtendedGroupProtocolSubscription>) =>
  [...members].map(([id, { topics = [] }]) => ({ id, topics }));
