/** The simulation itself: one seed is one history, and its checks can fail. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Faults, NO_FAULTS } from './faults.ts';
import { simulateMany } from './many.ts';
import { type Recorded, record } from './recorded.ts';
import { type SimulateOptions, simulate } from './simulate.ts';

let recorded: Recorded;
beforeAll(async () => {
  recorded = await record();
});

const SEEDS = Array.from({ length: 12 }, (_, k) => k + 1);

async function failuresOf(options: SimulateOptions): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const seed of SEEDS) failures.push(...(await simulate(seed, recorded, options)).failures);
  return failures;
}

describe('a seed', () => {
  test.each([3, 9, 20])('%i gives the same history each time', async (seed) => {
    const [first, second] = [await simulate(seed, recorded), await simulate(seed, recorded)];
    expect(second.hash).toBe(first.hash);
    expect(second.trace).toEqual(first.trace);
  });

  test('is the same history in a thread of many', async () => {
    const hashes = new Map<number, string>();
    await simulateMany({ from: 3, count: 3, most: 1, onDone: ({ seed, hash }) => hashes.set(seed, hash) });
    expect([...hashes.keys()].sort()).toEqual([3, 4, 5]);
    expect(hashes.get(4)).toBe((await simulate(4, recorded)).hash);
  });

  test('another gives another history', async () => {
    expect((await simulate(3, recorded)).hash).not.toBe((await simulate(9, recorded)).hash);
  });
});

test('without faults every schedule comes to rest with all checks holding', async () => {
  expect(await failuresOf({ faults: NO_FAULTS })).toEqual([]);
});

describe('what is broken on purpose is noticed', () => {
  const faults: Faults = { ...NO_FAULTS, until: 60_000, refused: 0.05, redelivered: 0.3 };

  test('sound, the same schedules hold', async () => {
    expect(await failuresOf({ faults })).toEqual([]);
  });

  test('a consumer that acknowledges what it failed at', async () => {
    const failures = await failuresOf({
      faults,
      spoil: (subscription) => ({
        ...subscription,
        handler: (delivery) => subscription.handler(delivery).catch(() => undefined),
      }),
    });
    expect(failures.length).toBeGreaterThan(0);
  });

  test('a conditional create that looks for nothing', async () => {
    const failures = await failuresOf({ faults: { ...faults, answerLost: 0.2 }, ignoresConditions: true });
    expect(failures.some((failure) => /has \d+ Provenances/.test(failure))).toBe(true);
  });
});
