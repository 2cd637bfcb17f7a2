import { expect, test } from 'vitest';
import { parseKafkaUrl } from './url.ts';

test('without settings: kafkajs, 30 days, the cluster’s own replication', () => {
  expect(parseKafkaUrl('kafka://127.0.0.1:9092')).toEqual({
    brokers: ['127.0.0.1:9092'],
    client: 'kafkajs',
    prefix: '',
    retention_days: 30,
    session_ms: 10_000,
    tls: false,
    sasl: 'scram-sha-512',
  });
});

test('several brokers and every setting', () => {
  const url = 'kafka://a:9092,b.local:9093,[::1]:9094/?client=platformatic&partitions=12&replication=3&prefix=site-a.';
  expect(parseKafkaUrl(`${url}&retention_days=7&session_ms=6000&tls=1&sasl=plain`)).toEqual({
    brokers: ['a:9092', 'b.local:9093', '[::1]:9094'],
    client: 'platformatic',
    partitions: 12,
    replication: 3,
    prefix: 'site-a.',
    retention_days: 7,
    session_ms: 6_000,
    tls: true,
    sasl: 'plain',
  });
});

test('a login, percent-encoded; in plain text to this machine only', () => {
  const user = { name: 'engram', password: 'p@ss:word/' };
  const login = 'engram:p%40ss%3Aword%2F';
  expect(parseKafkaUrl(`kafka://${login}@127.0.0.1:9092`)).toMatchObject({ brokers: ['127.0.0.1:9092'], user });
  expect(parseKafkaUrl(`kafka://${login}@a:9092,b:9092?tls=1`)).toMatchObject({ tls: true, user });
});

test.each([
  ['kafka://', 'host:port'],
  ['kafka://broker', 'host:port'],
  ['kafka://user:secret@broker:9092', 'tls=1 is needed'],
  ['kafka://user:secret@broker:9092?tls=yes', 'tls'],
  ['kafka://secret@127.0.0.1:9092', 'user:password'],
  ['kafka://user:secret%@127.0.0.1:9092', 'percent-encoded'],
  ['kafka://user:secret@other@127.0.0.1:9092', 'host:port'],
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
