import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyQueues } from './key-queues.ts';

// fast-check's scheduler resolves the jobs in every order it can think of; the promises must hold in each.
test('in any interleaving: order per key, never two of a key at once, never more keys than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 }),
      fc.integer({ min: 1, max: 4 }),
      async (scheduler, keys, concurrency) => {
        const queues = keyQueues(concurrency);
        const done: Record<string, number[]> = {};
        const underWay: string[] = [];
        let most = 0;
        keys.forEach((key, i) => {
          queues.add(key, async () => {
            expect(underWay).not.toContain(key);
            underWay.push(key);
            most = Math.max(most, underWay.length);
            await scheduler.schedule(Promise.resolve());
            underWay.splice(underWay.indexOf(key), 1);
            done[key] = [...(done[key] ?? []), i];
          });
        });
        await scheduler.waitIdle();
        for (const [key, order] of Object.entries(done)) {
          expect(order).toEqual(keys.flatMap((other, i) => (other === key ? [i] : [])));
        }
        expect(Object.values(done).flat()).toHaveLength(keys.length);
        expect(most).toBeLessThanOrEqual(concurrency);
      },
    ),
    { numRuns: 300 },
  );
});

test('a key’s backlog does not starve the others', async () => {
  const order: string[] = [];
  const queues = keyQueues(1);
  const job = (name: string) => async () => {
    await Promise.resolve();
    order.push(name);
  };
  for (const name of ['a1', 'a2', 'a3']) queues.add('a', job(name));
  queues.add('b', job('b1'));
  while (order.length < 4) await Promise.resolve();
  expect(order.indexOf('b1')).toBeLessThan(order.indexOf('a3'));
});

test('closing waits for what runs and starts nothing more', async () => {
  const gate = Promise.withResolvers<void>();
  const ran: number[] = [];
  const queues = keyQueues(1);
  queues.add('a', async () => {
    await gate.promise;
    ran.push(1);
  });
  queues.add('a', async () => void ran.push(2));
  const closing = queues.close();
  gate.resolve();
  await closing;
  await Promise.resolve();
  expect(ran).toEqual([1]);
});
