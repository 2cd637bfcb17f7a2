/** `kafka://host:port[,host:port][?setting=value&…]`. Pure. */
import { EngramError } from '@engram/errors';
import { z } from 'zod';

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
});

export interface KafkaUrl extends z.infer<typeof settings> {
  readonly brokers: readonly string[];
}

const FIELD = 'ENGRAM_BUS_URL';

/** @throws CONFIG_INVALID that names what is wrong. */
export function parseKafkaUrl(url: string): KafkaUrl {
  const [, hosts = '', query = ''] = /^kafka:\/\/([^/?#]*)\/?(?:\?([^#]*))?$/.exec(url) ?? [];
  const brokers = hosts.split(',');
  const wrong = brokers.find((broker) => !/^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+):\d{1,5}$/.test(broker));
  if (wrong !== undefined) {
    throw new EngramError('CONFIG_INVALID', 'a kafka URL is kafka://host:port, several brokers by commas', {
      field: FIELD,
    });
  }
  const parsed = settings.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (parsed.success) return { brokers, ...parsed.data };
  const [issue] = parsed.error.issues;
  const where = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue?.path.join('.');
  const why = issue?.code === 'unrecognized_keys' ? 'is not a setting of a kafka URL' : issue?.message;
  throw new EngramError('CONFIG_INVALID', `${where}: ${why}`, { field: FIELD });
}
