/**
 * Sends records one request at a time, in the order of the calls: so the order of a key outlives a request that must be
 * sent again. Who calls meanwhile shares the next request. When one is given up, what waits behind it is refused with it,
 * so that nothing overtakes what its caller will send again.
 */
import { EngramError } from '@engram/errors';
import { type KafkaClient, keyOf, type OutgoingRecord } from './client.ts';
import { type Outage, patiently, upstreamFailed } from './patience.ts';

/** A broker takes 1 MiB of one partition in one request by default, and all records may be of one partition. */
const REQUEST_BYTES = 900_000;
/** Of lengths, times and checksums. */
const RECORD_OVERHEAD_BYTES = 50;

export interface Sender {
  /** @throws UPSTREAM_FAILED when the cluster did not take them in this time; some may have been stored. */
  send(records: readonly OutgoingRecord[], patienceMs: number): Promise<void>;
  /** Ends the request under way and refuses the rest. */
  close(): Promise<void>;
}

interface Part {
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly until: number;
  readonly done: PromiseWithResolvers<void>;
}

export function openSender(client: Pick<KafkaClient, 'send'>, trouble: Outage): Sender {
  const waiting: Part[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  async function run(): Promise<void> {
    for (let batch = take(); batch.length > 0; batch = take()) {
      const patienceMs = Math.min(...batch.map(({ until }) => until)) - performance.now();
      const stopped = () => closed;
      try {
        const left = [batch.flatMap((part) => part.records)];
        await patiently(() => sendEach(left), { patienceMs, stopped, onError: trouble.failed });
        trouble.fine();
        for (const { done } of batch) done.resolve();
      } catch (error) {
        refuse([...batch, ...waiting.splice(0)], upstreamFailed('the Kafka cluster did not take what was sent', error));
      }
    }
    running = undefined;
  }

  /**
   * A request that fails is split by partition: some may have taken their records, and would take them again with each try
   * that fails for another one's sake. What fails then comes last in the next try.
   */
  async function sendEach(left: (readonly OutgoingRecord[])[]): Promise<void> {
    for (let next = left[0]; next !== undefined; next = left[0]) {
      try {
        await client.send(next);
        left.shift();
      } catch (error) {
        left.shift();
        left.push(...Map.groupBy(next, keyOf).values());
        throw error;
      }
    }
  }

  /** As many parts as fit into a request, and at least one. */
  function take(): Part[] {
    let bytes = 0;
    const end = waiting.findIndex((part, i) => {
      bytes += part.bytes;
      return i > 0 && bytes > REQUEST_BYTES;
    });
    return waiting.splice(0, end === -1 ? waiting.length : end);
  }

  return {
    async send(records, patienceMs) {
      if (closed) throw new EngramError('BUS_CLOSED', 'the bus is closed');
      const until = performance.now() + patienceMs;
      const parts = partsOf(records).map((part) => ({ ...part, until, done: Promise.withResolvers<void>() }));
      waiting.push(...parts);
      running ??= run();
      await Promise.all(parts.map(({ done }) => done.promise));
    },
    async close() {
      closed = true;
      refuse(waiting.splice(0), new EngramError('BUS_CLOSED', 'the bus is closed'));
      await running;
    },
  };
}

function refuse(parts: readonly Part[], error: EngramError): void {
  for (const { done } of parts) done.reject(error);
}

function partsOf(records: readonly OutgoingRecord[]): { records: OutgoingRecord[]; bytes: number }[] {
  const parts: { records: OutgoingRecord[]; bytes: number }[] = [];
  for (const record of records) {
    const bytes = bytesOf(record);
    const last = parts.at(-1);
    if (last && last.bytes + bytes <= REQUEST_BYTES) {
      last.records.push(record);
      last.bytes += bytes;
    } else {
      parts.push({ records: [record], bytes });
    }
  }
  return parts;
}

function bytesOf({ key, value, headers }: OutgoingRecord): number {
  const texts = [key, ...Object.entries(headers).flat()];
  const length = value === null ? 0 : Buffer.byteLength(value);
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), length + RECORD_OVERHEAD_BYTES);
}
