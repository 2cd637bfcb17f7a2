import { expect, test } from 'vitest';
import type { FetchedRecord, KafkaClient } from './client.ts';
import { readDeadLetters } from './dead-letters.ts';
import { settledRecord } from './records.ts';

const letter = (key: string, offset: number): FetchedRecord => ({
  topic: 'letters',
  partition: 0,
  offset,
  key,
  value: new TextEncoder().encode('{}'),
  headers: {},
  timestamp: 0,
});
const settles = (dead: FetchedRecord, offset: number): FetchedRecord => ({
  ...settledRecord(dead, 0),
  value: null,
  offset,
});

function listOf(log: readonly FetchedRecord[]): Promise<FetchedRecord[]> {
  const at = (offset: number) => [{ topic: 'letters', partition: 0, offset }];
  const client = {
    partitionCounts: async () => new Map([['letters', 1]]),
    offsets: async (_: unknown, which: string) => at(which === 'end' ? log.length : 0),
  } as Partial<KafkaClient> as KafkaClient;
  return readDeadLetters(client, async ([from]) => log.slice(from?.offset), 'letters');
}

test('a settled letter is none, and one of the same event that came before it was settled stays', async () => {
  const [a, b] = [letter('a', 0), letter('b', 1)];
  expect(await listOf([a, b, settles(a, 2)])).toEqual([b]);
  // Redriven, failed again at once, and only then settled.
  const again = letter('a', 2);
  expect(await listOf([a, b, again, settles(a, 3)])).toEqual([b, again]);
  expect(await listOf([a, b, again, settles(a, 3), settles(again, 4)])).toEqual([b]);
});
