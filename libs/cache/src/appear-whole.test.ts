import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appearWhole } from './appear-whole.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'engram-cache-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('the folder appears when it is filled, not before, and its work folder is gone', async () => {
  const target = join(root, 'below', 'tool-1');
  await appearWhole(target, async (folder, work) => {
    writeFileSync(join(folder, 'a'), 'one');
    writeFileSync(join(work, 'b'), 'two');
    expect(existsSync(target)).toBe(false);
  });
  expect(readdirSync(target)).toEqual(['a']);
  expect(readdirSync(join(root, 'below'))).toEqual(['tool-1']);
});

test('a build that throws leaves what was there and nothing beside it', async () => {
  const target = join(root, 'tool-1');
  await appearWhole(target, async (folder) => writeFileSync(join(folder, 'a'), 'old'));
  const broken = appearWhole(target, async (folder) => {
    writeFileSync(join(folder, 'a'), 'half');
    throw new Error('no network');
  });
  await expect(broken).rejects.toThrow('no network');
  expect(readFileSync(join(target, 'a'), 'utf8')).toBe('old');
  expect(readdirSync(root)).toEqual(['tool-1']);
});

test('of two that build at once one is kept, whole', async () => {
  const target = join(root, 'tool-1');
  const build = (text: string) =>
    appearWhole(target, async (folder) => {
      for (const name of ['a', 'b']) writeFileSync(join(folder, name), text);
      await new Promise((resolve) => setTimeout(resolve, 10));
    });
  await Promise.all([build('x'), build('y')]);
  expect(readFileSync(join(target, 'a'), 'utf8')).toBe(readFileSync(join(target, 'b'), 'utf8'));
  expect(readdirSync(root)).toEqual(['tool-1']);
});
