import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { whenSetBack } from './member.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a clock that is set back is noticed once; one that runs, or is set ahead, is not', () => {
  const act = vi.fn();
  const end = whenSetBack(act);
  vi.advanceTimersByTime(10_000);
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(act).not.toHaveBeenCalled();
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(act).toHaveBeenCalledTimes(1);
  end();
  vi.setSystemTime(Date.now() - 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(act).toHaveBeenCalledTimes(1);
});
