import { expect, test, vi } from 'vitest';
import type { KafkaClient } from './client.ts';
import { openTopics } from './topics.ts';

const settings = { prefix: '', partitions: 8, retention_days: 7 };
const EVENTS = 'engram.run.requested.v1';

/** A cluster that holds topics which it does not list for the first `lag` looks. */
function laggingCluster(there: Readonly<Record<string, number>>, lag: number) {
  const counts = new Map(Object.entries(there));
  let looks = 0;
  const client: Pick<KafkaClient, 'createTopics' | 'partitionCounts'> = {
    async createTopics(topics) {
      for (const { topic, partitions } of topics) if (!counts.has(topic)) counts.set(topic, partitions);
    },
    async partitionCounts(topics) {
      if (looks++ < lag) return new Map();
      return new Map(topics.flatMap((topic) => (counts.has(topic) ? [[topic, counts.get(topic) ?? 0]] : [])));
    },
  };
  return { counts, client: client as KafkaClient };
}

test('topics of a group get the number of partitions that those of events have, though the cluster lists them late', async () => {
  const { counts, client } = laggingCluster({ [EVENTS]: 3 }, 2);
  const topics = openTopics(client, settings);
  const names = topics.group('engram.g');
  expect(await topics.ensure([EVENTS, names.retry(5_000), names.again])).toBe(3);
  expect(Object.fromEntries(counts)).toEqual({ [EVENTS]: 3, 'engram.g.retry.5s': 3, 'engram.g.again': 3 });
});

test('a number that the cluster has not confirmed in time is not kept', async () => {
  const { client } = laggingCluster({ [EVENTS]: 3 }, 3);
  const impatient: KafkaClient = { ...client, partitionCounts: (names) => client.partitionCounts(names) };
  const topics = openTopics(impatient, settings);
  const hidden = vi.spyOn(impatient, 'createTopics').mockRejectedValueOnce(new Error('no answer'));
  await expect(topics.ensure([EVENTS])).rejects.toThrow('no answer');
  hidden.mockRestore();
  expect(await topics.ensure([EVENTS])).toBe(3);
});

test('where there are none yet they get the number asked for, and two numbers are refused by name', async () => {
  const { counts, client } = laggingCluster({}, 0);
  expect(await openTopics(client, settings).ensure([EVENTS])).toBe(8);
  counts.set('engram.run.completed.v1', 4);
  await expect(openTopics(client, settings).ensure([EVENTS])).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('run.completed.v1 has 4'),
  });
});
