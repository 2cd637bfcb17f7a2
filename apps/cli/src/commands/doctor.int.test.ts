import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { examine } from './doctor.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engram-doctor-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const segmenterOf = async (env: Record<string, string>) =>
  (await examine({ ENGRAM_HOME: dir, ...env })).find(({ check }) => check === 'segmenter');

test('says whether a segmenter is configured, and what is wrong with one that is not sound', async () => {
  expect(await segmenterOf({})).toMatchObject({ state: 'ok', detail: 'none: the atlas is registered' });
  expect(await segmenterOf({ ENGRAM_SEGMENTER: dir })).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('no manifest.json'),
  });
  await writeFile(join(dir, 'manifest.json'), JSON.stringify({ schema: 'engram/segmenter/2' }));
  expect(await segmenterOf({ ENGRAM_SEGMENTER: dir })).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('schema'),
  });
});
