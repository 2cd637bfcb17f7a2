import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unbrokenRun } from './unbroken-run.ts';

test('finished in any order, the run ends right before the first that is not', () => {
  const order = fc.shuffledSubarray([3, 4, 7, 8, 9, 12], { minLength: 0 });
  fc.assert(
    fc.property(order, (finishing) => {
      const offsets = [3, 4, 7, 8, 9, 12];
      const run = unbrokenRun();
      for (const offset of offsets) run.begin(offset);
      let end: number | undefined;
      for (const offset of finishing) end = run.finish(offset) ?? end;
      const gap = offsets.findIndex((offset) => !finishing.includes(offset));
      const length = gap === -1 ? offsets.length : gap;
      expect(end).toBe(offsets[length - 1]);
      expect(run.open).toBe(offsets.length - length);
    }),
  );
});

test('an offset finished behind the gap moves nothing', () => {
  const run = unbrokenRun();
  run.begin(1);
  run.begin(2);
  expect(run.finish(2)).toBeUndefined();
  expect(run.finish(1)).toBe(2);
});
