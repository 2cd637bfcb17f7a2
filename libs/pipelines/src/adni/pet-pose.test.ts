import { expect, test } from 'vitest';
import { choosePose } from './pet-pose.ts';

const [unknown, scanner, aligned, talairach, mni] = [0, 1, 2, 3, 4];

test('only a PET in the template space of its T1, or aligned to something, stays where its header places it', () => {
  expect(choosePose('auto', mni, mni)).toBe('header');
  expect(choosePose('auto', mni, aligned)).toBe('header');
  expect(choosePose('auto', talairach, mni)).toBe('search');
  expect(choosePose('auto', mni, scanner)).toBe('search');
  expect(choosePose('auto', mni, unknown)).toBe('search');
});

test('scans in scanner coordinates, or aligned ones beside each other, are registered', () => {
  for (const t1 of [unknown, scanner, aligned])
    for (const pet of [unknown, scanner, aligned, talairach, mni]) expect(choosePose('auto', t1, pet)).toBe('search');
});

test('what was asked for goes before what the headers say', () => {
  expect(choosePose('search', mni, mni)).toBe('search');
  expect(choosePose('header', scanner, scanner)).toBe('header');
});
