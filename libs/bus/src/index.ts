/**
 * Events between services: order per key, consumer groups, at least once, retry topics with back-off, dead letters.
 *
 * @example
 * const bus = await openBus('sqlite:///var/lib/engram/bus.db');
 * await bus.subscribe({ group: 'engram.prediction', types: ['features.stored.v1'], handler });
 * await bus.publish([makeEvent(events.featuresStored, facts)]);
 * @module
 */
export { DEFAULT_RETRY_DELAYS_MS, retryDelay } from './deliver.ts';
export { forgetHandled, type IdempotentOptions, idempotently } from './idempotent.ts';
export { fromKafkaHeaders, type KafkaMessage, toKafkaHeaders } from './kafka-headers.ts';
export { type OpenBusOptions, openBus } from './open.ts';
export type * from './port.ts';
export { openRelay, type RelayOptions, relayOutbox } from './relay-outbox.ts';
export { checkPublished, checkReceived, eventTypes, topicOf } from './validate.ts';
