import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBus } from '@engram/bus';
import { openObjects } from '@engram/objects';
import { expect, test, vi } from 'vitest';
import { requested } from './run.fixture.ts';

const started: ChildProcess[] = [];

async function startService(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'killed-worker.fixture.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the process ended before it was ready')));
  await Promise.race([child.stdout && once(child.stdout, 'data'), died]);
  died.catch(() => undefined);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

// The worker's process is killed while the second of three tasks runs, and again before it can say that the run is done.
test('a run survives the death of its worker: no finished task is repeated and its effect does not double', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'engram-killed-'));
  const journal = join(folder, 'journal');
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 't1.nii'), 'scan');
  const tasks = () => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : []);
  const bus = await openBus(`sqlite://${join(folder, 'bus.db')}?synchronous=normal`, { pollMs: 20, leaseMs: 500 });
  const ends: { id: string; version: number; key: string | undefined }[] = [];
  await bus.subscribe({
    group: 'engram.watcher',
    types: ['run.completed.v1', 'run.failed.v1', 'run.cancelled.v1'],
    async handler({ event }) {
      const { artifacts } = event.data as { artifacts?: { key: string }[] };
      ends.push({ id: event.id, version: event.subjectversion, key: artifacts?.[0]?.key });
    },
  });
  const [input] = requested('r-kill').data.inputs;
  if (!input) throw new Error('the example has an input');
  const source = { kind: 'url' as const, url: `file://${join(folder, 'data', 't1.nii')}` };
  await bus.publish([
    requested('r-kill', { pipeline: 'wmh', inputs: [{ ...input, source }], parameters: { journal, taskMs: 600 } }),
  ]);

  const first = await startService(folder);
  await vi.waitFor(() => expect(tasks()).toEqual(['one', 'two']), { timeout: 60_000, interval: 20 });
  await kill(first);
  const second = await startService(folder);
  await vi.waitFor(() => expect(tasks()).toEqual(['one', 'two', 'two', 'three']), { timeout: 60_000, interval: 20 });
  await kill(second);
  const third = await startService(folder);
  await vi.waitFor(() => expect(ends.length).toBeGreaterThan(0), { timeout: 60_000, interval: 20 });

  expect(tasks().slice(0, 4)).toEqual(['one', 'two', 'two', 'three']);
  expect(tasks().filter((task) => task === 'one')).toHaveLength(1);
  expect(tasks().filter((task) => task === 'two')).toHaveLength(2);
  expect(new Set(ends.map((end) => end.id)).size).toBe(1);
  const objects = await openObjects(`file://${join(folder, 'objects')}`);
  expect(String(await objects.get(ends[0]?.key ?? ''))).toBe('scan one two three');
  expect((await objects.list('runs/')).objects.map((info) => info.key)).toEqual([ends[0]?.key]);
  await kill(third);
  await bus.close();
  rmSync(folder, { recursive: true, force: true });
});
