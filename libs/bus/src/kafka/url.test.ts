import { expect, test } from 'vitest';
import { parseKafkaUrl } from './url.ts';

test('without settings: kafkajs, 30 days, the cluster’s own replication', () => {
  expect(parseKafkaUrl('kafka://127.0.0.1:9092')).toEqual({
    brokers: ['127.0.0.1:9092'],
    client: 'kafkajs',
    prefix: '',
    retention_days: 30,
    session_ms: 10_000,
  });
});

test('several brokers and every setting', () => {
  const url = 'kafka://a:9092,b.local:9093,[::1]:9094/?client=platformatic&partitions=12&replication=3&prefix=site-a.';
  expect(parseKafkaUrl(`${url}&retention_days=7&session_ms=6000`)).toEqual({
    brokers: ['a:9092', 'b.local:9093', '[::1]:9094'],
    client: 'platformatic',
    partitions: 12,
    replication: 3,
    prefix: 'site-a.',
    retention_days: 7,
    session_ms: 6_000,
  });
});

test.each([
  ['kafka://', 'host:port'],
  ['kafka://broker', 'host:port'],
  ['kafka://user:secret@broker:9092', 'host:port'],
  ['kafka://a:9092,', 'host:port'],
  ['kafka://a:9092?client=confluent', 'client'],
  ['kafka://a:9092?partitions=0', 'partitions'],
  ['kafka://a:9092?prefix=a/b', 'prefix'],
  ['kafka://a:9092?partition=8', 'partition: is not a setting'],
])('%s is refused by name, and its text is not repeated', (url, names) => {
  expect(() => parseKafkaUrl(url)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      field: 'ENGRAM_BUS_URL',
      message: expect.stringContaining(names),
    }),
  );
  expect(() => parseKafkaUrl(url)).not.toThrow(/secret/);
});
