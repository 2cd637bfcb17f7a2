import { expect, test } from 'vitest';
import * as api from './index.ts';

test('what others build on is this and nothing else', () => {
  expect(Object.keys(api).sort()).toEqual([
    'SERVICES',
    'base32',
    'embeddedAdapters',
    'environment',
    'loadConfig',
    'notificationSecret',
    'patientKey',
    'redactedConfig',
    'requireDistributed',
  ]);
});
