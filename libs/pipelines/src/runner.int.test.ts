import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LettersParameters, pipeline } from './letters-pipeline.fixture.ts';
import { type ProgressEvent, type RunOptions, runPipeline } from './runner.ts';
import { folderTaskStore } from './task-store.ts';

let dir: string;
let journal: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engram-runner-'));
  journal = join(dir, 'journal');
  await writeFile(journal, '');
  await writeFile(join(dir, 't1.txt'), 'abc');
  await writeFile(join(dir, 'pet.txt'), 'glow');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const ran = async (): Promise<string[]> => (await readFile(journal, 'utf8')).split('\n').filter(Boolean);

function run(
  parameters: Record<string, unknown> = {},
  more: Partial<RunOptions<LettersParameters>> & { pet?: boolean } = {},
) {
  const { pet = true, ...options } = more;
  return runPipeline({
    definition: pipeline,
    inputs: {
      t1: { path: join(dir, 't1.txt') },
      ...(pet ? { pet: { path: join(dir, 'pet.txt'), tracer: 'fdg' } } : {}),
    },
    store: folderTaskStore(join(dir, 'store')),
    workDir: join(dir, 'work'),
    device: { backend: 'scalar' },
    ...options,
    parameters: { journal, ...parameters },
  });
}

const letters = async (outcome: Awaited<ReturnType<typeof run>>): Promise<string> =>
  readFile(outcome.artifacts.find(({ name }) => name === 'letters.txt')?.path ?? '', 'utf8');

test('a run makes its artifacts, says how far it is and never goes backwards', async () => {
  const events: ProgressEvent[] = [];
  const outcome = await run({}, { onProgress: (event) => events.push(event) });
  expect(outcome.status).toBe('completed');
  expect(await letters(outcome)).toBe('ABC!+glow by fdg');
  expect(await ran()).toEqual(['upper', 'mark', 'pet', 'join']);
  expect(outcome.warnings).toEqual(['a mark was added']);
  expect(outcome.tasks.every(({ key, cpuSeconds, peakMemoryMb }) => key && cpuSeconds > 0 && peakMemoryMb > 10)).toBe(
    true,
  );
  const fractions = events.map(({ fraction }) => fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  expect(events.at(-1)).toMatchObject({ task: 'join', taskStatus: 'completed', fraction: 1, secondsLeft: 0 });
});

test('a second run does nothing again and says the same', async () => {
  const first = await run();
  const second = await run();
  expect(await ran()).toHaveLength(4);
  expect(second.tasks.map(({ reused }) => reused)).toEqual([true, true, true, true]);
  expect(second.artifacts.map(({ sha256 }) => sha256)).toEqual(first.artifacts.map(({ sha256 }) => sha256));
  expect(second.warnings).toEqual(first.warnings);
  expect(await letters(second)).toBe('ABC!+glow by fdg');
});

test('a PET that comes later reuses the T1 results', async () => {
  const early = await run({}, { pet: false });
  expect(early.status).toBe('completed');
  expect(await letters(early)).toBe('ABC!');
  expect(early.tasks.find(({ name }) => name === 'pet')?.status).toBe('skipped');
  const late = await run();
  expect(await ran()).toEqual(['upper', 'mark', 'join', 'pet', 'join']);
  expect(await letters(late)).toBe('ABC!+glow by fdg');
});

test('only what a parameter, an input or the backend changes is done again', async () => {
  await run();
  await run({ suffix: '?' });
  expect((await ran()).slice(4)).toEqual(['mark', 'join']);
  await writeFile(join(dir, 'pet.txt'), 'glow2');
  await run({ suffix: '?' });
  expect((await ran()).slice(6)).toEqual(['pet', 'join']);
  await writeFile(join(dir, 't1.txt'), 'Abc');
  await run({ suffix: '?' });
  // The same letters in capitals: what follows has equal input and is found.
  expect((await ran()).slice(8)).toEqual(['upper']);
});

test('kill -9 of the child fails that task, and a new run does not repeat finished ones', async () => {
  const crashed = await run({ fault: { task: 'mark', kind: 'kill' } });
  expect(crashed.status).toBe('failed');
  expect(crashed.failedTask).toBe('mark');
  expect(crashed.error?.code).toBe('TASK_CRASHED');
  expect(crashed.error?.retryable).toBe(true);
  // PET does not depend on the crashed task: it ran in a new process and is kept.
  expect(crashed.tasks.map(({ status }) => status)).toEqual(['completed', 'failed', 'completed', 'skipped']);
  const resumed = await run();
  expect(resumed.status).toBe('completed');
  expect(await ran()).toEqual(['upper', 'mark', 'pet', 'mark', 'join']);
});

test('a task that hangs is ended at its limit', async () => {
  const outcome = await run({ fault: { task: 'upper', kind: 'hang' } }, { limits: { taskSeconds: 1 } });
  expect(outcome.error?.code).toBe('TASK_TIMEOUT');
  expect(outcome.error?.message).toContain('1 s');
});

test('a task that eats memory is ended, and this process lives on', async () => {
  const outcome = await run({ fault: { task: 'upper', kind: 'memory' } }, { limits: { memoryMb: 400 } });
  expect(outcome.error?.code).toBe('TASK_OUT_OF_MEMORY');
  expect(outcome.tasks[0].peakMemoryMb).toBeGreaterThan(300);
});

test('a coded failure keeps its code and file, and a forgotten output is a fault', async () => {
  const coded = await run({ fault: { task: 'pet', kind: 'error' } });
  expect(coded.error).toMatchObject({ code: 'IMAGE_MODALITY', file: 'x.txt', retryable: false });
  const lazy = await run(
    { fault: { task: 'upper', kind: 'lazy' }, suffix: 'z' },
    { inputs: { t1: { path: journal } } },
  );
  expect(lazy.error?.message).toBe('upper did not write out.txt');
});

test('cancelling ends the child at once and marks what was left', async () => {
  const abort = new AbortController();
  const pending = run(
    { fault: { task: 'mark', kind: 'hang' } },
    { signal: abort.signal, onProgress: ({ task, fraction }) => task === 'mark' && fraction > 0 && abort.abort() },
  );
  const outcome = await pending;
  expect(outcome.status).toBe('cancelled');
  expect(outcome.error).toBeUndefined();
  expect(outcome.tasks.map(({ status }) => status)).toEqual(['completed', 'cancelled', 'cancelled', 'cancelled']);
});

test('a damaged stored result is made again rather than used', async () => {
  const first = await run();
  const key = first.tasks.find(({ name }) => name === 'mark')?.key ?? '';
  await writeFile(join(dir, 'store', key.slice(0, 2), key, 'out.txt'), 'broken');
  const second = await run({}, { pet: false });
  expect(second.status).toBe('completed');
  expect(await letters(second)).toBe('ABC!');
});

test('missing inputs and wrong parameters are refused by name before anything runs', async () => {
  await expect(run({}, { inputs: {} })).rejects.toMatchObject({ code: 'INPUT_MISSING', field: 't1' });
  await expect(run({}, { inputs: { t1: { path: join(dir, 'none.nii') } } })).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    file: 'none.nii',
  });
  await expect(run({ suffix: 5 })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', field: 'suffix' });
  expect(await ran()).toEqual([]);
});

test('no partial result is ever left in the store', async () => {
  await mkdir(join(dir, 'store'), { recursive: true });
  await run({ fault: { task: 'join', kind: 'kill' } });
  const left = await readdir(join(dir, 'store'));
  expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
});
