/**
 * Who reads what in a group: partition p of every topic goes to the same member. A key lies in the same partition of each
 * topic, so one process handles a key's new events, retries and redriven events, and never two at once. Pure.
 */
export const SLOT_PROTOCOL = 'engram-slots';

export interface Subscriber {
  readonly id: string;
  readonly topics: readonly string[];
}

/** @returns for each member the partitions of each topic. The same for any order of members and topics. */
export function assignSlots(
  members: readonly Subscriber[],
  partitionsOf: (topic: string) => number,
): ReadonlyMap<string, ReadonlyMap<string, readonly number[]>> {
  const byId = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const assigned = new Map(byId.map(({ id }) => [id, new Map<string, number[]>()]));
  const topics = new Set(members.flatMap((member) => member.topics));
  for (const topic of topics) {
    const subscribers = byId.filter((member) => member.topics.includes(topic));
    for (let partition = 0; partition < partitionsOf(topic); partition++) {
      const mine = assigned.get(subscribers[partition % subscribers.length]?.id ?? '');
      mine?.set(topic, [...(mine.get(topic) ?? []), partition]);
    }
  }
  return assigned;
}
