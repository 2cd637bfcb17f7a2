import { expect, test } from 'vitest';
import * as api from './index.ts';

test('what others build on is this and nothing else', () => {
  expect(Object.keys(api).sort()).toEqual(['checkKey', 'ensureLifecycle', 'objectsPlugin', 'openObjects']);
});
