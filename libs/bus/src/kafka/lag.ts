/** How far a group is behind: what its topics hold beyond the offsets it has committed. */
import type { Lag } from '../port.ts';
import { type FetchedRecord, type KafkaClient, keyOf, type Position } from './client.ts';
import { tryOf } from './records.ts';

export type Fetch = (positions: readonly Position[], waitMs: number) => Promise<readonly FetchedRecord[]>;

const WAIT_MS = 200;

export async function lagOf(client: KafkaClient, fetch: Fetch, group: string, now: () => number): Promise<Lag> {
  const committed = await client.committed(group);
  if (committed.length === 0) return { events: 0, seconds: 0 };
  const ends = await client.offsets([...new Set(committed.map(({ topic }) => topic))], 'end');
  const endOf = new Map(ends.map((end) => [keyOf(end), end.offset]));
  const behind = committed.filter((at) => (endOf.get(keyOf(at)) ?? 0) > at.offset);
  const events = behind.reduce((sum, at) => sum + (endOf.get(keyOf(at)) ?? 0) - at.offset, 0);
  if (events === 0) return { events: 0, seconds: 0 };
  const oldest = Math.min(...(await headsOf(fetch, behind)).map((record) => tryOf(record, undefined).publishedAt));
  return { events, seconds: Number.isFinite(oldest) ? Math.max(0, (now() - oldest) / 1000) : 0 };
}

/** The first record at each position. One answer may leave out partitions for want of room. */
async function headsOf(fetch: Fetch, positions: readonly Position[]): Promise<FetchedRecord[]> {
  const heads = new Map<string, FetchedRecord>();
  for (let left = positions; left.length > 0; left = left.filter((at) => !heads.has(keyOf(at)))) {
    const before = heads.size;
    for (const record of await fetch(left, WAIT_MS)) {
      if (!heads.has(keyOf(record))) heads.set(keyOf(record), record);
    }
    if (heads.size === before) break;
  }
  return [...heads.values()];
}
