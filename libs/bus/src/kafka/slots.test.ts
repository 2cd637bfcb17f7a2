import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignSlots, type Subscriber } from './slots.ts';

const topics = ['engram.a.b.v1', 'engram.g.retry.5s', 'engram.g.again'];
const group = (size: number): Subscriber[] => Array.from({ length: size }, (_, i) => ({ id: `m${i}`, topics }));

test('every partition of every topic has one reader, partition p of all topics the same one, in fair shares', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 24 }), (size, partitions) => {
      const assigned = assignSlots(group(size), () => partitions);
      const owners = topics.map((topic) =>
        Array.from({ length: partitions }, (_, partition) =>
          [...assigned].filter(([, mine]) => mine.get(topic)?.includes(partition)).map(([id]) => id),
        ),
      );
      for (const owner of owners.flat()) expect(owner).toHaveLength(1);
      expect(owners[1]).toEqual(owners[0]);
      expect(owners[2]).toEqual(owners[0]);
      const shares = [...assigned.values()].map((mine) => mine.get(topics[0] ?? '')?.length ?? 0);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

test('the order in which members are listed changes nothing', () => {
  const members = group(5);
  expect(assignSlots([...members].reverse(), () => 8)).toEqual(assignSlots(members, () => 8));
});

test('a topic that only some members know goes to those, as while a new version is rolled out', () => {
  const [old, fresh] = [
    { id: 'a', topics: ['one'] },
    { id: 'b', topics: ['one', 'two'] },
  ];
  const assigned = assignSlots([old, fresh], () => 4);
  expect(assigned.get('a')).toEqual(new Map([['one', [0, 2]]]));
  expect(assigned.get('b')).toEqual(
    new Map([
      ['one', [1, 3]],
      ['two', [0, 1, 2, 3]],
    ]),
  );
});
