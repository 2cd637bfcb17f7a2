/** `kafka://[user:password@]host:port[,host:port][?setting=value&…]`. Pure. */
import { EngramError } from '@engram/errors';
import { z } from 'zod';
import type { ClientOptions } from './client.ts';

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const settings = z.strictObject({
  client: z.enum(['kafkajs', 'platformatic']).default('kafkajs'),
  /** Of the topics that are still to be made; where some exist, their number counts. */
  partitions: whole(1, 1024).optional(),
  /** Copies of each partition. The cluster's own default when not set. */
  replication: whole(1, 16).optional(),
  /** Set before the name of every topic and group, so that several installations may share a cluster. */
  prefix: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,64}$/)
    .default(''),
  /** How long an event is kept, handled or not. */
  retention_days: whole(1, 3650).default(30),
  /** How long a killed process keeps its partitions from the others. The broker allows 6 s and more. */
  session_ms: whole(1_000, 300_000).default(10_000),
  /** 1 for TLS. Authorities beyond Node's own come by NODE_EXTRA_CA_CERTS. */
  tls: z
    .enum(['0', '1'])
    .default('0')
    .transform((text) => text === '1'),
  /** How the user of the URL logs in. */
  sasl: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).default('scram-sha-512'),
});

export interface KafkaUrl extends z.infer<typeof settings> {
  readonly brokers: readonly string[];
  readonly user?: { readonly name: string; readonly password: string };
}

const FIELD = 'ENGRAM_BUS_URL';

/** @throws CONFIG_INVALID that names what is wrong, without the URL's own text. */
export function parseKafkaUrl(url: string): KafkaUrl {
  const [, login, hosts = '', query = ''] = /^kafka:\/\/(?:([^@/?#]*)@)?([^@/?#]*)\/?(?:\?([^#]*))?$/.exec(url) ?? [];
  const brokers = hosts.split(',');
  if (brokers.some((broker) => !/^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+):\d{1,5}$/.test(broker))) {
    throw refusal('a kafka URL is kafka://host:port, several brokers by commas');
  }
  const parsed = settings.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (!parsed.success) throw refusal(wrongSetting(parsed.error));
  if (login === undefined) return { brokers, ...parsed.data };
  if (!parsed.data.tls && !brokers.every(isLocal)) {
    throw refusal('tls: a password leaves this machine over TLS only, so tls=1 is needed');
  }
  return { brokers, ...parsed.data, user: userOf(login) };
}

const refusal = (why: string): EngramError => new EngramError('CONFIG_INVALID', why, { field: FIELD });

const isLocal = (broker: string): boolean => /^(127\.0\.0\.1|localhost|\[::1\]):/.test(broker);

function wrongSetting({ issues: [issue] }: z.ZodError): string {
  return issue?.code === 'unrecognized_keys'
    ? `${issue.keys.join(', ')}: is not a setting of a kafka URL`
    : `${issue?.path.join('.')}: ${issue?.message}`;
}

function userOf(login: string): NonNullable<KafkaUrl['user']> {
  const [name = '', password] = login.split(':');
  try {
    if (name !== '' && password !== undefined) {
      return { name: decodeURIComponent(name), password: decodeURIComponent(password) };
    }
  } catch {
    // Said below: what cannot be decoded is as wrong as what is missing.
  }
  throw refusal('a login is user:password, each percent-encoded');
}

export function clientOptions({ brokers, tls, sasl, user }: KafkaUrl): ClientOptions {
  const login = user && { mechanism: sasl, username: user.name, password: user.password };
  return { brokers, clientId: 'engram', tls, ...(login ? { login } : {}) };
}
