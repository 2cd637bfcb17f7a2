/** What every adapter does around a handler: check the event, continue its trace, measure, and judge a failure. */
import type { EngramEvent } from '@engram/contracts';
import { asEngramError, EngramError } from '@engram/errors';
import { count, errorType, observe, withoutTrace, withSpan, withTraceparent } from '@engram/telemetry';
import type { Handler } from './port.ts';
import { checkReceived, topicOf } from './validate.ts';

/** Together longer than a server's restart or a hospital's short outage: 26 minutes. */
export const DEFAULT_RETRY_DELAYS_MS: readonly number[] = [5_000, 60_000, 300_000, 300_000, 900_000];

export interface DeliverOptions {
  readonly system: string;
  readonly group: string;
  readonly handler: Handler;
  readonly type: string;
  readonly partition: number;
  readonly attempt: number;
  readonly event: unknown;
}

/** @returns what the handler failed with, or undefined when the event is handled. */
export async function deliver(options: DeliverOptions): Promise<EngramError | undefined> {
  const { event, group, attempt, type } = options;
  try {
    checkReceived(event);
  } catch (error) {
    return asEngramError(error, 'EVENT_INVALID');
  }
  const attributes = {
    'messaging.system': options.system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': topicOf(type),
    'messaging.consumer.group.name': group,
  };
  const span = {
    ...attributes,
    'messaging.destination.partition.id': String(options.partition),
    'messaging.message.id': event.id,
    'engram.attempt': attempt,
  };
  count('messaging.client.consumed.messages', attributes);
  const started = performance.now();
  const failure = await withoutTrace(() =>
    withTraceparent(event.traceparent, async () => {
      try {
        await withSpan(
          `process ${topicOf(type)}`,
          span,
          () => options.handler({ event, topic: topicOf(type), group, attempt }),
          { kind: 'consumer' },
        );
      } catch (error) {
        return error ?? new EngramError('INTERNAL', 'a handler threw nothing');
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const outcome = failure === undefined ? {} : { 'error.type': errorType(failure) };
  observe('messaging.process.duration', seconds, { ...attributes, ...outcome });
  return failure === undefined ? undefined : asEngramError(failure);
}

/** Milliseconds to wait before the next try, or undefined when the event belongs to the dead letters. Pure. */
export function retryDelay(cause: EngramError, attempt: number, delays: readonly number[]): number | undefined {
  return cause.retryable ? delays[attempt - 1] : undefined;
}

/** An event lies among the dead letters from now on: an operator must look. */
export function countDeadLetter(group: string, type: string, cause: EngramError): void {
  count('engram.bus.dead_letters', {
    'messaging.consumer.group.name': group,
    'messaging.destination.name': topicOf(type),
    'error.type': cause.code,
  });
}

/**
 * Stores events under producer spans: each leaves with the trace context of its own `send` span, below the one it was
 * made in.
 */
export async function send(
  system: string,
  events: readonly EngramEvent[],
  store: (events: readonly EngramEvent[]) => Promise<void>,
  stamp: () => string | undefined,
): Promise<void> {
  const stamped: EngramEvent[] = [];
  for (const event of events) {
    const attributes = {
      'messaging.system': system,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topicOf(event.type),
      'messaging.message.id': event.id,
    };
    await withTraceparent(event.traceparent, () =>
      withSpan(
        `send ${topicOf(event.type)}`,
        attributes,
        async () => {
          const traceparent = stamp();
          stamped.push(traceparent === undefined ? event : { ...event, traceparent });
        },
        { kind: 'producer' },
      ),
    );
  }
  const started = performance.now();
  let outcome = {};
  try {
    await store(stamped);
  } catch (error) {
    outcome = { 'error.type': errorType(error) };
    throw error;
  } finally {
    const base = { 'messaging.system': system, 'messaging.operation.name': 'send', ...outcome };
    observe('messaging.client.operation.duration', (performance.now() - started) / 1000, base);
    for (const [type, same] of Map.groupBy(events, (event) => event.type)) {
      count('messaging.client.sent.messages', { ...base, 'messaging.destination.name': topicOf(type) }, same.length);
    }
  }
}
