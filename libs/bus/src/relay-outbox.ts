/** The outbox relay: publishes the events that records hold and then marks them, so that a state change never loses its event. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngramEvent } from '@engram/contracts';
import { isEngramError } from '@engram/errors';
import type { Records, Waiting } from '@engram/records';
import { errorType, type Logger, silentLogger } from '@engram/telemetry';
import type { Bus } from './port.ts';

export interface RelayDeps {
  readonly records: Records;
  readonly bus: Pick<Bus, 'publish'>;
  readonly logger?: Logger;
}

export interface RelayOptions extends RelayDeps {
  /** How often to look for events of other processes or of before a crash. Default 5 s; own writes are seen at once. */
  readonly intervalMs?: number;
  readonly signal: AbortSignal;
}

const BATCH = 100;
/** Of own writes, kept in hand while the bus is away; beyond that the records alone hold them. */
const MOST_IN_HAND = 1_000;
const INTERVAL_MS = 5_000;
const AGAIN_MS = 1_000;

interface Item {
  readonly collection: string;
  /** Of the record. */
  readonly id: string;
  readonly event: EngramEvent;
}

export interface Relay {
  /** Publishes what own writes left waiting, in the order of the writes, from memory. @returns how many. */
  sendOwn(): Promise<number>;
  /**
   * Publishes, collection by collection and oldest first, what waits in records.
   * @param idleMs only in those that nobody has written to for so long: the events of others leave through their writers, and
   * are sent twice where one does not wait for that.
   */
  sendWaiting(idleMs?: number): Promise<number>;
  /** Whether own writes left something that has not been sent. */
  readonly hasOwn: boolean;
  /** Listens to no more writes. */
  close(): void;
}

/**
 * A crash between publishing and marking sends an event again: receivers know it by its id. So does a record that two
 * processes write to at once, since whoever writes to one sends all that waits in it, which keeps its events in order.
 */
export function openRelay({ records, bus, logger = silentLogger }: RelayDeps): Relay {
  let inHand: Item[] = [];
  const known = new Set<string>();

  function take({ collection, id, events }: Waiting): void {
    for (const event of events) {
      if (known.has(event.id)) continue;
      known.add(event.id);
      inHand.push({ collection, id, event });
    }
    if (inHand.length > MOST_IN_HAND) {
      inHand = [];
      known.clear();
    }
  }

  async function mark(items: readonly Item[]): Promise<void> {
    for (const collection of records.collections) {
      const its = items.filter((item) => item.collection === collection.name);
      if (its.length > 0) await collection.markPublished(its.map(({ id, event }) => ({ id, eventId: event.id })));
    }
  }

  const stopListening = records.onEvents(take);
  return {
    async sendOwn() {
      let sent = 0;
      while (inHand.length > 0) {
        const batch = inHand.slice(0, BATCH);
        await publishAll(batch, bus, logger);
        await mark(batch);
        const done = new Set(batch);
        inHand = inHand.filter((item) => !done.has(item));
        for (const { event } of batch) known.delete(event.id);
        sent += batch.length;
      }
      return sent;
    },

    async sendWaiting(idleMs = 0) {
      let sent = 0;
      for (const collection of records.collections) {
        for (let more = true; more; ) {
          const pending = await collection.pendingEvents(BATCH, idleMs);
          const items = pending.map((item) => ({ ...item, collection: collection.name }));
          if (items.length > 0) await publishAll(items, bus, logger);
          await mark(items);
          sent += items.length;
          more = items.length === BATCH;
        }
      }
      return sent;
    },

    get hasOwn() {
      return inHand.length > 0;
    },

    close: stopListening,
  };
}

/** One event that no bus will ever take must not hold back all behind it: it is logged by id and given up. */
async function publishAll(items: readonly Item[], bus: Pick<Bus, 'publish'>, logger: Logger): Promise<void> {
  try {
    await bus.publish(items.map((item) => item.event));
  } catch (error) {
    if (!isEngramError(error, 'EVENT_INVALID')) throw error;
    for (const { event } of items) {
      try {
        await bus.publish([event]);
      } catch (reason) {
        if (!isEngramError(reason, 'EVENT_INVALID')) throw reason;
        logger.error('an event in the outbox fits no contract and is given up', { err: reason, event_id: event.id });
      }
    }
  }
}

/** Relays until the signal aborts; a failure of the bus or the store is logged and tried again. */
export async function relayOutbox(options: RelayOptions): Promise<void> {
  const { records, intervalMs = INTERVAL_MS, signal, logger = silentLogger } = options;
  const relay = openRelay(options);
  let alarm = new AbortController();
  const stopListening = records.onEvents(() => alarm.abort());
  // At first whatever there is: a process that starts may be the one that was killed.
  let idleMs = 0;
  let nextLook = performance.now();

  async function send(): Promise<void> {
    await relay.sendOwn();
    if (performance.now() < nextLook) return;
    await relay.sendWaiting(idleMs);
    idleMs = intervalMs;
    nextLook = performance.now() + intervalMs;
  }

  async function pause(ms: number, ...until: readonly AbortSignal[]): Promise<void> {
    await sleep(ms, undefined, { signal: AbortSignal.any([signal, ...until]) }).catch(() => undefined);
  }

  while (!signal.aborted) {
    alarm = new AbortController();
    try {
      await send();
      if (!relay.hasOwn) await pause(nextLook - performance.now(), alarm.signal);
    } catch (error) {
      logger.warn('the outbox could not be relayed; it will be tried again', { err: error, error: errorType(error) });
      // After an outage those who wrote send first.
      nextLook = performance.now() + intervalMs;
      await pause(Math.min(AGAIN_MS, intervalMs));
    }
  }
  stopListening();
  relay.close();
  // What is not sent now would wait for another process to look.
  await relay.sendOwn().catch((error: unknown) => logger.warn('events stay in the outbox', { err: error }));
}
