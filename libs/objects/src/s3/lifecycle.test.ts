import { expect, test } from 'vitest';
import { ensureLifecycle } from '../lifecycle.ts';
import { bucketRule, lifecycleRule } from './lifecycle.ts';

const id = 'engram:site-a/:';

test('a rule says what expires, what grows cold and that parts of uploads left behind go', () => {
  const rule = { prefix: 'raw/', expireAfterDays: 365, colder: { afterDays: 30, storageClass: 'GLACIER_IR' as const } };
  const there = bucketRule(rule, id, 'site-a/');
  expect(there).toEqual({
    ID: 'engram:site-a/:raw/',
    Status: 'Enabled',
    Filter: { Prefix: 'site-a/raw/' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
    Expiration: { Days: 365 },
    Transitions: [{ Days: 30, StorageClass: 'GLACIER_IR' }],
  });
  expect(lifecycleRule(there, id)).toEqual(rule);
});

test('a rule of another, or of another store in the same bucket, is not ours', () => {
  expect(lifecycleRule({ ID: 'backup', Status: 'Enabled' }, id)).toBeUndefined();
  expect(lifecycleRule({ ID: 'engram::tasks/', Status: 'Enabled' }, id)).toBeUndefined();
  expect(lifecycleRule({ ID: 'engram:site-a/:tasks/', Status: 'Enabled' }, 'engram::')).toBeUndefined();
});

test('a folder keeps no rules', async () => {
  await expect(ensureLifecycle('file:///tmp/objects', [])).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
