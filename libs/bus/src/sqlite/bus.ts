/** The embedded bus: a durable log in one SQLite file that several processes may share. */

import { EngramError } from '@engram/errors';
import { openDatabase } from '@engram/records';
import { type Logger, silentLogger, traceparent } from '@engram/telemetry';
import { send } from '../deliver.ts';
import type { Bus } from '../port.ts';
import { checkPublished, eventTypes } from '../validate.ts';
import { openReader, type Reader } from './reader.ts';
import { openStore } from './store.ts';

export interface SqliteBusOptions {
  /** Fixed when the file is made. Default 8. */
  readonly partitions?: number | undefined;
  /** How soon an event of another process is seen. Default 100 ms; this process's own are seen at once. */
  readonly pollMs?: number | undefined;
  /** How long a process that was killed keeps its partitions from the others. Default 6 s. */
  readonly leaseMs?: number | undefined;
  /** Events that every group has passed are dropped after this. Default 7 days. */
  readonly retentionMs?: number | undefined;
  readonly logger?: Logger | undefined;
  readonly now?: () => number;
}

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

/** @throws CONFIG_INVALID when the URL is not a SQLite one. */
export function openSqliteBus(url: string, options: SqliteBusOptions = {}): Bus {
  const { partitions = 8, pollMs = 100, leaseMs = 6_000, retentionMs = WEEK_MS, now = Date.now } = options;
  const logger = options.logger ?? silentLogger;
  const database = openDatabase(url);
  const store = openStore(database, partitions);
  const readers = new Set<Reader>();
  let closed = false;
  let seen = store.dataVersion();
  let looked = 0;

  const wakeAll = (types?: ReadonlySet<string>) => {
    for (const reader of readers) reader.wake(types);
  };
  /** A full or busy disk must not end the process: the next turn tries again. */
  const every = (ms: number, work: () => void) =>
    setInterval(() => {
      try {
        work();
      } catch (error) {
        logger.warn('the bus could not do its rounds; it will try again', { err: error });
      }
    }, ms);
  const timers = [
    every(pollMs, () => {
      const version = store.dataVersion();
      // Retries come due without a write, hence the look every second all the same.
      if (version === seen && now() - looked < Math.max(pollMs, Math.min(1_000, pollMs * 5))) return;
      seen = version;
      looked = now();
      wakeAll();
    }),
    every(leaseMs / 4, () => {
      for (const reader of readers) reader.beat();
    }),
    every(HOUR_MS, () => void store.forget(now() - retentionMs)),
  ];

  function open(): void {
    if (closed) throw new EngramError('BUS_CLOSED', 'the bus is closed');
  }

  return {
    async publish(events) {
      open();
      for (const event of events) checkPublished(event);
      if (events.length === 0) return;
      await send('engram', events, async (stamped) => store.append(stamped, now()), traceparent);
      wakeAll(new Set(events.map((event) => event.type)));
    },

    async subscribe(subscription) {
      open();
      for (const type of subscription.types) {
        if (!eventTypes.has(type)) {
          throw new EngramError('EVENT_INVALID', `${type} is not an event type`, { field: 'types' });
        }
      }
      const reader = openReader(store, subscription, { now, leaseMs, logger });
      readers.add(reader);
      return {
        async close() {
          await reader.close();
          readers.delete(reader);
        },
      };
    },

    async lag(group) {
      return store.lag(group, now());
    },
    async deadLetters(group) {
      return store.deadLetters(group);
    },
    async redrive(group, eventIds) {
      const count = store.redrive(group, eventIds, now());
      wakeAll();
      return count;
    },
    async replay(group, since) {
      store.replay(group, since.getTime());
      for (const reader of readers) reader.beat();
    },

    async close() {
      if (closed) return;
      closed = true;
      for (const timer of timers) clearInterval(timer);
      await Promise.all([...readers].map((reader) => reader.close()));
      database.close();
    },
  };
}
