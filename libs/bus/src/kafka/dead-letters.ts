/** A group's dead letters: a topic that is read from its beginning, where a later record settles a letter. */
import type { FetchedRecord, KafkaClient } from './client.ts';
import type { Fetch } from './lag.ts';
import { settledOffset } from './records.ts';

const WAIT_MS = 200;

/** The letters that are not settled, oldest first. */
export async function readDeadLetters(client: KafkaClient, fetch: Fetch, topic: string): Promise<FetchedRecord[]> {
  const known = await client.partitionCounts([topic]);
  if (known.size === 0) return [];
  const [oldest] = await client.offsets([topic], 'oldest');
  const [end] = await client.offsets([topic], 'end');
  const letters = new Map<string, FetchedRecord>();
  let offset = oldest?.offset ?? 0;
  while (end && offset < end.offset) {
    const records = await fetch([{ topic, partition: 0, offset }], WAIT_MS);
    if (records.length === 0) break;
    for (const record of records) {
      take(letters, record);
      offset = record.offset + 1;
    }
  }
  return [...letters.values()];
}

function take(letters: Map<string, FetchedRecord>, record: FetchedRecord): void {
  const settled = settledOffset(record);
  const known = letters.get(record.key);
  if (settled === undefined || (known !== undefined && known.offset <= settled)) letters.delete(record.key);
  if (settled === undefined) letters.set(record.key, record);
}
