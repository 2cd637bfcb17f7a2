/** Buses on the broker that KAFKA_URL names, each test below a prefix of its own whose topics and groups go at the end. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { Bus } from '../port.ts';
import { openKafkaBus } from './bus.ts';
import { parseKafkaUrl } from './url.ts';

/** `kafka://127.0.0.1:port`; where it is not set, tests that need a broker are skipped. */
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

export function playground(client: ClientName): Playground {
  const prefix = `test-${randomUUID().slice(0, 8)}.`;
  const url = `${KAFKA_URL}?client=${client}&prefix=${prefix}&partitions=8&replication=1&session_ms=6000`;
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

export async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const { brokers } = parseKafkaUrl(KAFKA_URL ?? '');
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
