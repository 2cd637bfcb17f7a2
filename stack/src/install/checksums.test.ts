import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksumsOf } from './checksums.ts';

let files: string;
let lists: string;
beforeEach(async () => {
  files = mkdtempSync(join(tmpdir(), 'engram-stack-'));
  lists = mkdtempSync(join(tmpdir(), 'engram-stack-'));
  writeFileSync(join(files, 'a.jar'), 'alpha');
  writeFileSync(join(files, 'b.jar'), 'beta');
  await checksumsOf('tool-1', true, lists).check(files);
});
afterEach(() => {
  for (const folder of [files, lists]) rmSync(folder, { recursive: true, force: true });
});

const check = () => checksumsOf('tool-1', false, lists).check(files);

test('the files that were recorded pass', async () => {
  await expect(check()).resolves.toBeUndefined();
});

test.each([
  ['another byte', () => writeFileSync(join(files, 'b.jar'), 'beta.'), 'b.jar does not match its recorded sha256'],
  ['a file less', () => rmSync(join(files, 'a.jar')), 'a.jar was not fetched'],
  ['a file more', () => writeFileSync(join(files, 'c.jar'), ''), 'c.jar has no recorded sha256'],
])('%s is refused by name', async (_, change, message) => {
  change();
  await expect(check()).rejects.toMatchObject({ code: 'PACKAGE_UNAVAILABLE', message: `tool-1: ${message}` });
});

test('a version without a list is refused', async () => {
  const other = checksumsOf('tool-2', false, lists).check(files);
  await expect(other).rejects.toMatchObject({ message: 'tool-2: a.jar has no recorded sha256' });
});
