import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { hasSharedData, sharedData } from './shared-data.ts';

test('paths lie below the shared data folder', () => {
  expect(basename(sharedData())).toBe('data');
  expect(sharedData('t1', 'a.nii.gz').startsWith(sharedData('t1'))).toBe(true);
});

test.skipIf(!hasSharedData)('the index is where the helper says it is', () => {
  expect(existsSync(sharedData('INDEX.md'))).toBe(true);
});
