/**
 * Sends records one request at a time, in the order of the calls: so the order of a key outlives a request that must be
 * sent again. Who calls meanwhile shares the next request.
 */
import { EngramError } from '@engram/errors';
import type { KafkaClient, OutgoingRecord } from './client.ts';
import { type Outage, patiently, upstreamFailed } from './patience.ts';

const MOST_RECORDS = 2_000;

export interface Sender {
  /** @throws UPSTREAM_FAILED when the broker did not take them in this time; some may have been stored. */
  send(records: readonly OutgoingRecord[], patienceMs: number): Promise<void>;
  /** Waits for what is under way and refuses the rest. */
  close(): Promise<void>;
}

interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly until: number;
  readonly done: PromiseWithResolvers<void>;
}

export function openSender(client: Pick<KafkaClient, 'send'>, trouble: Outage): Sender {
  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  async function run(): Promise<void> {
    for (let batch = take(); batch.length > 0; batch = take()) {
      const patienceMs = Math.min(...batch.map(({ until }) => until)) - performance.now();
      const stopped = () => closed;
      try {
        const records = batch.flatMap((entry) => entry.records);
        await patiently(() => client.send(records), { patienceMs, stopped, onError: trouble.failed });
        trouble.fine();
        for (const { done } of batch) done.resolve();
      } catch (error) {
        const refusal = upstreamFailed('the Kafka cluster did not take what was sent', error);
        for (const { done } of batch) done.reject(refusal);
      }
    }
    running = undefined;
  }

  function take(): Waiting[] {
    let size = 0;
    const more = waiting.findIndex(({ records }, i) => {
      size += records.length;
      return i > 0 && size > MOST_RECORDS;
    });
    return waiting.splice(0, more === -1 ? waiting.length : more);
  }

  return {
    send(records, patienceMs) {
      if (closed) return Promise.reject(new EngramError('BUS_CLOSED', 'the bus is closed'));
      const done = Promise.withResolvers<void>();
      waiting.push({ records, until: performance.now() + patienceMs, done });
      running ??= run();
      return done.promise;
    },
    async close() {
      closed = true;
      for (const { done } of waiting.splice(0)) done.reject(new EngramError('BUS_CLOSED', 'the bus is closed'));
      await running;
    },
  };
}
