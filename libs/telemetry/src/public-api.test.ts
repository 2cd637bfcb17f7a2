import { expect, test } from 'vitest';
import * as api from './index.ts';

test('what others build on is this and nothing else', () => {
  expect(Object.keys(api).sort()).toEqual([
    'LOG_FIELDS',
    'METRICS',
    'count',
    'createLogger',
    'errorType',
    'gauge',
    'metricsText',
    'observe',
    'safeFields',
    'setSpanAttributes',
    'silentLogger',
    'startTelemetry',
    'traceId',
    'traceIdOf',
    'traceparent',
    'withSpan',
    'withTraceparent',
    'withoutTrace',
  ]);
});
