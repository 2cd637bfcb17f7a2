import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseEvicted, type TaskResult } from './evict-tasks.ts';

const result = (key: string, bytes: number, modified: string): TaskResult => ({ key, bytes, modified, objects: [] });

test('under the cap nothing goes', () => {
  expect(chooseEvicted([result('a', 5, '2026-01-01'), result('b', 5, '2026-01-02')], 10)).toEqual([]);
});

test('the oldest go, and no more than needed to be under the cap', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ age: fc.nat(1000), bytes: fc.nat(100) }), { selector: (one) => one.age }),
      fc.nat(2000),
      (given, cap) => {
        const results = given.map(({ age, bytes }) => result(`${age}`, bytes, new Date(age * 1000).toISOString()));
        const evicted = chooseEvicted(results, cap);
        const kept = results.filter((one) => !evicted.includes(one));
        const total = (list: readonly TaskResult[]) => list.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(total(kept)).toBeLessThanOrEqual(cap);
        for (const gone of evicted) for (const held of kept) expect(gone.modified < held.modified).toBe(true);
        const last = evicted.at(-1);
        if (last) expect(total(kept) + last.bytes).toBeGreaterThan(cap);
      },
    ),
  );
});
