import { expect, test, vi } from 'vitest';
import { Report } from './report.ts';

test('what holds and what does not are counted, with detail and reason', async () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const report = new Report();
  await report.check('one', 'holds', () => '3 of 3');
  await report.check('two', 'does not', () => {
    throw new Error('because');
  });
  said.mockRestore();
  expect(report.failed).toBe(1);
  expect(report.text()).toMatch(/^pass {2}one .*3 of 3\nFAIL {2}two .*because\n1 passed, 1 failed\n$/);
});
