import { expect, test } from 'vitest';
import { replaceSection, type Section, sectionText } from './report.ts';

const section: Section = {
  name: 'masks',
  title: 'Brain masks',
  command: 'npm run bench -- accuracy',
  conditions: ['2 cores'],
  head: ['subject', 'Dice'],
  rows: [['03', '0.97']],
  notes: ['tuned on 03'],
};

test('a second run replaces its own section and leaves the others as they were', () => {
  const other = { ...section, name: 'tissue', title: 'Tissue' };
  const once = replaceSection(replaceSection('# Benchmarks\n', section), other);
  const twice = replaceSection(once, { ...section, rows: [['03', '0.98']] });
  expect(twice).toBe(once.replace('0.97', '0.98'));
  expect(twice).toContain(sectionText(other));
});
