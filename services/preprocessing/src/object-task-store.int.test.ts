import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSha256 } from '@engram/cache';
import { type Objects, openObjects } from '@engram/objects';
import type { TaskManifest } from '@engram/pipelines';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { evictTasks } from './evict-tasks.ts';
import { objectTaskStore } from './object-task-store.ts';

let folder: string;
let objects: Objects;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engram-tasks-'));
  mkdirSync(join(folder, 'in'));
  mkdirSync(join(folder, 'out'));
  objects = await openObjects(`file://${join(folder, 'objects')}`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const KEY = 'ab'.repeat(32);

async function result(key: string, text: string): Promise<TaskManifest> {
  const path = join(folder, 'in', 'out.txt');
  writeFileSync(path, text);
  return {
    schema: 'engram/task-result/1',
    key,
    task: 'n4',
    version: 1,
    device: 'scalar',
    files: [{ name: 'out.txt', sha256: await fileSha256(path), bytes: text.length }],
    notes: [],
    warnings: [],
    seconds: 1,
    cpu_seconds: 1,
    peak_memory_mb: 1,
  };
}

test('a result that was saved is found and loaded, and saving it again does no harm', async () => {
  const store = objectTaskStore(objects);
  expect(await store.find(KEY)).toBeUndefined();
  const manifest = await result(KEY, 'voxels');
  await store.save(KEY, join(folder, 'in'), manifest);
  await store.save(KEY, join(folder, 'in'), manifest);
  expect(await store.find(KEY)).toEqual(manifest);
  await store.load(KEY, join(folder, 'out'));
  expect(readFileSync(join(folder, 'out', 'out.txt'), 'utf8')).toBe('voxels');
});

test('a save that breaks off before its manifest leaves no result', async () => {
  const store = objectTaskStore(objects);
  const manifest = await result(KEY, 'voxels');
  const put = objects.put.bind(objects);
  const broken = vi.spyOn(objects, 'put').mockImplementation(async (key, ...rest) => {
    if (key.endsWith('/manifest.json')) throw new Error('killed here');
    return put(key, ...rest);
  });
  await expect(store.save(KEY, join(folder, 'in'), manifest)).rejects.toThrow('killed here');
  broken.mockRestore();
  expect(await objects.head(`tasks/${KEY}/out.txt`)).toBeDefined();
  expect(await store.find(KEY)).toBeUndefined();
  await expect(store.load(KEY, join(folder, 'out'))).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
});

test('a result whose file is damaged or gone stops being one, so that it is made again', async () => {
  const store = objectTaskStore(objects);
  await store.save(KEY, join(folder, 'in'), await result(KEY, 'voxels'));
  await objects.put(`tasks/${KEY}/out.txt`, Buffer.from('other bytes'));
  await expect(store.load(KEY, join(folder, 'out'))).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
  expect(await store.find(KEY)).toBeUndefined();
});

test('over the cap the oldest result goes as a whole, and others stay whole', async () => {
  const store = objectTaskStore(objects);
  const [old, young] = ['aa'.repeat(32), 'bb'.repeat(32)];
  for (const key of [old, young]) {
    await store.save(key, join(folder, 'in'), await result(key, 'x'.repeat(10_000)));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await evictTasks(objects, 100_000)).toBe(0);
  expect(await evictTasks(objects, 12_000)).toBeGreaterThan(10_000);
  expect(await store.find(old)).toBeUndefined();
  expect(await store.find(young)).toBeDefined();
  expect((await objects.list(`tasks/${old}/`)).objects).toEqual([]);
});
