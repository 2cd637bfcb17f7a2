import { expect, test } from 'vitest';
import { throttle } from './throttle.ts';

test('values of a kind pass once an interval, a change of kind always, in order and one at a time', async () => {
  let now = 0;
  let underWay = 0;
  const written: string[] = [];
  const { onProgress, settle } = throttle<string>(
    100,
    (value) => value[0] ?? '',
    async (value) => {
      expect(++underWay).toBe(1);
      await Promise.resolve();
      written.push(value);
      underWay--;
    },
    () => new Date(now),
  );
  for (const [at, value] of [
    [0, 'a1'],
    [50, 'a2'],
    [60, 'b1'],
    [70, 'a3'],
    [200, 'a4'],
    [299, 'a5'],
  ] as const) {
    now = at;
    onProgress(value);
  }
  await settle();
  expect(written).toEqual(['a1', 'b1', 'a3', 'a4']);
});
