/** Buses on the broker that KAFKA_URL names, each test below a prefix of its own whose topics and groups go at the end. */
import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type { Bus } from '../port.ts';
import { openKafkaBus } from './bus.ts';
import { kafkaOf } from './kafkajs/client.ts';
import { clientOptions, parseKafkaUrl } from './url.ts';

/** `kafka://127.0.0.1:port`, with a login and TLS where the broker wants them; where it is not set, tests that need a broker are skipped. */
export const KAFKA_URL = process.env['KAFKA_URL'];
export const CLIENTS = ['kafkajs', 'platformatic'] as const;
export type ClientName = (typeof CLIENTS)[number];

export interface Playground {
  readonly url: string;
  readonly prefix: string;
  open(): Promise<Bus>;
  /** Closes what was opened here and deletes its topics. */
  close(): Promise<void>;
}

export function playground(client: ClientName, prefix = `test-${randomUUID().slice(0, 8)}.`): Playground {
  const settings = `client=${client}&prefix=${prefix}&partitions=8&replication=1&session_ms=6000`;
  const url = `${KAFKA_URL}${KAFKA_URL?.includes('?') ? '&' : '?'}${settings}`;
  const opened: Bus[] = [];
  return {
    url,
    prefix,
    async open() {
      const bus = await openKafkaBus(url);
      opened.push(bus);
      return bus;
    },
    async close() {
      await Promise.all(opened.map((bus) => bus.close()));
      await withAdmin(async (admin) => {
        const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
        if (mine.length > 0) await admin.deleteTopics({ topics: mine });
      });
    },
  };
}

type Admin = ReturnType<Kafka['admin']>;

/** Any client of the broker, beside the bus. */
export const otherClient = (): Kafka => kafkaOf(clientOptions(parseKafkaUrl(KAFKA_URL ?? '')));

export async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = otherClient().admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
