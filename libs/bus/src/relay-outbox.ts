/** The outbox relay: publishes the events that records hold and then marks them, so that a state change never loses its event. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isEngramError } from '@engram/errors';
import type { Collection, Records } from '@engram/records';
import { errorType, type Logger, silentLogger } from '@engram/telemetry';
import type { Bus } from './port.ts';

export interface RelayOptions {
  readonly records: Records;
  readonly bus: Pick<Bus, 'publish'>;
  /** How often to look for events of other processes or of before a crash. Default 1 s; own writes are seen at once. */
  readonly intervalMs?: number;
  readonly signal: AbortSignal;
  readonly logger?: Logger;
}

const BATCH = 100;

/**
 * Publishes what is pending in every open collection, oldest first.
 * A crash between publishing and marking sends an event again: receivers know it by its id.
 * @returns how many events were published.
 */
export async function relayOnce({
  records,
  bus,
  logger = silentLogger,
}: Pick<RelayOptions, 'records' | 'bus' | 'logger'>): Promise<number> {
  let sent = 0;
  for (const collection of records.collections) {
    for (;;) {
      const pending = await collection.pendingEvents(BATCH);
      if (pending.length === 0) break;
      await publishAll(pending, bus, logger);
      await collection.markPublished(pending.map(({ id, event }) => ({ id, eventId: event.id })));
      sent += pending.length;
    }
  }
  return sent;
}

type Pending = Awaited<ReturnType<Collection<unknown>['pendingEvents']>>;

/** One event that no bus will ever take must not hold back all behind it: it is logged by id and given up. */
async function publishAll(pending: Pending, bus: Pick<Bus, 'publish'>, logger: Logger): Promise<void> {
  try {
    await bus.publish(pending.map((item) => item.event));
  } catch (error) {
    if (!isEngramError(error, 'EVENT_INVALID')) throw error;
    for (const { event } of pending) {
      try {
        await bus.publish([event]);
      } catch (reason) {
        if (!isEngramError(reason, 'EVENT_INVALID')) throw reason;
        logger.error('an event in the outbox fits no contract and is given up', { err: reason, event_id: event.id });
      }
    }
  }
}

/** Relays until the signal aborts; a failure of the bus or the store is logged and tried again at the next look. */
export async function relayOutbox(options: RelayOptions): Promise<void> {
  const { records, intervalMs = 1_000, signal, logger = silentLogger } = options;
  let wake = new AbortController();
  const stopListening = records.onEvents(() => wake.abort());
  try {
    while (!signal.aborted) {
      wake = new AbortController();
      try {
        await relayOnce(options);
      } catch (error) {
        logger.warn('the outbox could not be relayed; it will be tried again', { err: error, error: errorType(error) });
        await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
        continue;
      }
      await sleep(intervalMs, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => undefined);
    }
  } finally {
    stopListening();
  }
}
