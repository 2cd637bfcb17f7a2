import { expect, test } from 'vitest';
import { table } from './table.ts';

test('columns are as wide as their widest cell and numbers stand to the right', () => {
  expect(
    table([
      ['region', 'mm³'],
      ['Hippocampus_L', '3104'],
      ['Amygdala_R', '-7.5'],
    ]),
  ).toBe(['region         mm³', '───────────────────', 'Hippocampus_L  3104', 'Amygdala_R     -7.5'].join('\n'));
});

test('no rows give no text', () => {
  expect(table([])).toBe('');
});
