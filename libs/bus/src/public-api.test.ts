import { expect, test } from 'vitest';
import * as api from './index.ts';

test('what others build on is this and nothing else', () => {
  expect(Object.keys(api).sort()).toEqual([
    'DEFAULT_RETRY_DELAYS_MS',
    'checkPublished',
    'checkReceived',
    'eventTypes',
    'forgetHandled',
    'fromKafkaHeaders',
    'idempotently',
    'openBus',
    'openRelay',
    'relayOutbox',
    'retryDelay',
    'toKafkaHeaders',
    'topicOf',
  ]);
});
