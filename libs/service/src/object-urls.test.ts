import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@engram/config';
import { describe, expect, test } from 'vitest';
import { lifecycleRules } from './lifecycle-rules.ts';
import { objectUrls } from './object-urls.ts';

const config = (env: Record<string, string>) =>
  loadConfig({ env, cwd: mkdtempSync(join(tmpdir(), 'engram-service-')) });

describe('presigned URLs', () => {
  test('of the embedded store lead to the feature store, signed by a secret of their own', () => {
    const settings = config({ ENGRAM_FEATURE_STORE_URL: 'https://features.example/' });
    const urls = objectUrls(settings);
    expect(urls?.publicUrl).toBe('https://features.example/objects');
    expect(urls?.secret).toMatch(/^[0-9a-f]{64}$/);
    expect(urls?.secret).not.toBe(settings.siteSecret);
    expect(objectUrls(settings)).toEqual(urls);
  });

  test('of S3 are its own', () => {
    expect(objectUrls(config({ ENGRAM_OBJECTS_URL: 's3://engram' }))).toBeUndefined();
  });
});

describe('lifecycle rules', () => {
  test('there are none unless asked for', () => {
    expect(lifecycleRules(config({ ENGRAM_OBJECTS_URL: 's3://engram' }).lifecycle)).toEqual([]);
  });

  test('intermediate results expire and raw images grow cold; nothing is said of the rest', () => {
    const env = { ENGRAM_OBJECTS_URL: 's3://engram', ENGRAM_TASK_RESULTS_DAYS: '30', ENGRAM_RAW_COLD_DAYS: '90' };
    expect(lifecycleRules(config(env).lifecycle)).toEqual([
      { prefix: 'tasks/', expireAfterDays: 30 },
      { prefix: 'raw/', colder: { afterDays: 90, storageClass: 'GLACIER_IR' } },
    ]);
  });

  test('a folder cannot have them', () => {
    expect(() => config({ ENGRAM_TASK_RESULTS_DAYS: '30' })).toThrow(/ENGRAM_TASK_RESULTS_DAYS: needs an s3/);
  });
});
