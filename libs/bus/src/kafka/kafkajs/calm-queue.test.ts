import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import './calm-queue.ts';

interface Queue {
  readonly pending: unknown[];
  readonly throttleCheckTimeoutId: unknown;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  destroy(): void;
}

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => Queue;
const log = { debug() {} };
const open = () =>
  new RequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 1000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'nowhere:9092',
    logger: { namespace: () => log },
    isConnected: () => true,
  });

test('an empty queue is not looked at again', () => {
  const queue = open();
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeFalsy();
});

test('a queue in which a request waits is', () => {
  const queue = open();
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeTruthy();
  clearTimeout(queue.throttleCheckTimeoutId as NodeJS.Timeout);
});
