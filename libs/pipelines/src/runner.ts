/** Runs a pipeline: in order, each task once per content, in one child process. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSha256 } from '@engram/cache';
import type { TaskStatus } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import type { DeviceOptions } from '@engram/kernels';
import { type HashedInput, hashInput } from './run-inputs.ts';
import { progressMeter } from './run-progress.ts';
import type { PipelineDefinition, RunInput, TaskDefinition, TaskFile } from './task.ts';
import { taskKey } from './task-key.ts';
import { startTaskProcess, type TaskLimits, type TaskProcess } from './task-process.ts';
import type { TaskManifest, TaskStore } from './task-store.ts';

export interface RunOptions<P> {
  readonly definition: PipelineDefinition<P>;
  /** By role, such as t1 and pet. */
  readonly inputs: Readonly<Record<string, RunInput>>;
  /** Folders that tasks read and that are the same for every run, such as the atlas. */
  readonly resources?: Readonly<Record<string, TaskFile>>;
  /** Unset ones have their defaults. */
  readonly parameters?: unknown;
  readonly store: TaskStore;
  /** Emptied and filled by the run; results stay here for the caller to read and remove. */
  readonly workDir: string;
  readonly device?: DeviceOptions;
  readonly limits?: Partial<TaskLimits>;
  readonly onProgress?: (event: ProgressEvent) => void;
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

export interface ProgressEvent {
  readonly task: string;
  readonly taskStatus: TaskStatus;
  /** Of the whole run. */
  readonly fraction: number;
  readonly secondsLeft: number | null;
  readonly reused: boolean;
}

export interface TaskLog {
  readonly name: string;
  readonly version: number;
  readonly status: TaskStatus;
  /** Empty for a task that could not be keyed, because what it needs is missing. */
  readonly key: string;
  readonly reused: boolean;
  readonly started: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  readonly error: EngramError | undefined;
}

export interface RunArtifact extends TaskFile {
  readonly name: string;
  readonly bytes: number;
}

export interface RunOutcome {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly error: EngramError | undefined;
  readonly failedTask: string | undefined;
  readonly tasks: readonly TaskLog[];
  /** What the pipeline's `artifacts` name, as far as their tasks completed. */
  readonly artifacts: readonly RunArtifact[];
  readonly warnings: readonly string[];
  readonly device: { readonly backend: string; readonly name: string };
  readonly inputs: Readonly<Record<string, HashedInput>>;
  readonly started: string;
  readonly finished: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
  /** Where an output `task/file` lies, of a task that ran in this run or is among the pipeline's artifacts or reports. */
  readonly output: (name: string) => string;
}

export const DEFAULT_LIMITS: TaskLimits = { memoryMb: 6144, taskSeconds: 3600 };

/**
 * A failed task fails the run, but tasks that do not depend on it still run and are kept: a broken PET costs no second T1.
 * @throws PARAMETERS_INVALID, INPUT_MISSING, FILE_NOT_FOUND, or what opening the device threw, before anything ran.
 */
export async function runPipeline<P>(options: RunOptions<P>): Promise<RunOutcome> {
  const { definition, store, workDir, signal, onProgress = () => {}, now = () => new Date() } = options;
  const started = now();
  const clock = performance.now();
  const parameters = parseParameters(definition, options.parameters ?? {});
  const inputs = await hashInputs(definition, options.inputs);
  const roles = new Set([...Object.keys(inputs), ...Object.keys(options.resources ?? {})]);
  const planned = plan(definition, roles);
  const meter = progressMeter(Object.fromEntries(planned.map((task) => [task.name, task.weight])));

  const child = startTaskProcess(definition.module, options.device ?? {}, { ...DEFAULT_LIMITS, ...options.limits });
  const onAbort = () => child.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  const logs: TaskLog[] = [];
  const results = new Map<string, TaskManifest>();
  const loaded = new Set<string>();
  const load = async (task: string): Promise<void> => {
    if (loaded.has(task)) return;
    await loadResult(store, results, task, workDir);
    loaded.add(task);
  };

  const pass = async (): Promise<RunOutcome> => {
    const device = await child.device();
    await rm(workDir, { recursive: true, force: true });
    await mkdir(workDir, { recursive: true });
    for (const task of definition.tasks) {
      const base = { name: task.name, version: task.version, started: now().toISOString() };
      const idle = { key: '', reused: false, seconds: 0, cpuSeconds: 0, peakMemoryMb: 0, notes: [], warnings: [] };
      const unmet = planned.includes(task) ? task.needs.find((name) => !results.has(name)) : '';
      if (signal?.aborted || unmet !== undefined) {
        const status: TaskStatus = signal?.aborted ? 'cancelled' : 'skipped';
        logs.push({ ...base, ...idle, status, error: undefined, notes: unmet ? [`${unmet} did not complete`] : [] });
        continue;
      }
      const files = filesOf(task, definition, results, inputs, options.resources ?? {}, workDir);
      const hashes = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file.sha256]));
      const key = taskKey({ task, parameters, inputs: hashes, backend: device.backend });
      const found = await store.find(key);
      if (found) {
        results.set(task.name, found);
        const { notes, warnings } = found;
        logs.push({ ...base, ...idle, key, reused: true, status: 'completed', notes, warnings, error: undefined });
        onProgress({ task: task.name, taskStatus: 'completed', reused: true, ...meter.reuse(task.name) });
        continue;
      }
      for (const name of [...task.needs, ...(task.uses ?? [])]) if (results.has(name)) await load(name);
      onProgress({ task: task.name, taskStatus: 'running', reused: false, ...meter.update(task.name, 0, 0) });
      const log = await runTask(
        { task, key, child, files, parameters, workDir, store, results, device, base, inputs },
        (share, s) =>
          onProgress({ task: task.name, taskStatus: 'running', reused: false, ...meter.update(task.name, share, s) }),
      );
      logs.push(signal?.aborted && log.error ? { ...log, status: 'cancelled', error: undefined } : log);
      if (log.status === 'completed') loaded.add(task.name);
      const share = log.status === 'completed' ? 1 : 0;
      const { status: taskStatus } = logs[logs.length - 1];
      onProgress({ task: task.name, taskStatus, reused: false, ...meter.update(task.name, share, log.seconds) });
    }
    const artifacts: RunArtifact[] = [];
    for (const { name, task, file } of definition.artifacts) {
      const entry = results.get(task)?.files.find((candidate) => candidate.name === file);
      if (!entry) continue;
      await load(task);
      artifacts.push({ name, path: join(workDir, task, file), sha256: entry.sha256, bytes: entry.bytes });
    }
    for (const name of definition.reports ?? []) if (results.has(name)) await load(name);
    const failed = logs.find(({ status }) => status === 'failed');
    return {
      status: signal?.aborted ? 'cancelled' : failed ? 'failed' : 'completed',
      error: failed?.error,
      failedTask: failed?.name,
      tasks: logs,
      artifacts,
      warnings: logs.flatMap(({ warnings }) => warnings),
      device,
      inputs,
      started: started.toISOString(),
      finished: now().toISOString(),
      seconds: (performance.now() - clock) / 1000,
      cpuSeconds: logs.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      peakMemoryMb: Math.max(0, ...logs.map(({ peakMemoryMb }) => peakMemoryMb)),
      output: (name) => join(workDir, name),
    };
  };
  try {
    for (let repairs = 0; ; repairs++) {
      logs.length = 0;
      results.clear();
      loaded.clear();
      try {
        return await pass();
      } catch (error) {
        // A stored result was damaged or evicted between finding and reading it: the next pass makes it again.
        if (repairs >= 3 || !(isEngramError(error, 'OBJECT_CORRUPT') || isEngramError(error, 'OBJECT_NOT_FOUND')))
          throw error;
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    child.close();
  }
}

function parseParameters<P>(definition: PipelineDefinition<P>, given: unknown): P {
  const parsed = definition.parameters.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue.path.join('.');
  throw new EngramError('PARAMETERS_INVALID', `${field || definition.name}: ${issue.message}`, { field });
}

async function hashInputs<P>(definition: PipelineDefinition<P>, given: Readonly<Record<string, RunInput>>) {
  const out: Record<string, HashedInput> = {};
  for (const { role, required } of definition.inputs) {
    const input = given[role];
    if (input) out[role] = await hashInput(role, input);
    else if (required) throw new EngramError('INPUT_MISSING', `${definition.name} needs a ${role}`, { field: role });
  }
  return out;
}

/** Tasks that belong in a run with these roles: their own condition holds and all they need belongs too. */
function plan<P>(definition: PipelineDefinition<P>, roles: ReadonlySet<string>): readonly TaskDefinition<P>[] {
  const planned: TaskDefinition<P>[] = [];
  for (const task of definition.tasks) {
    const wanted = task.when?.(roles) ?? (task.reads ?? []).every((role) => roles.has(role));
    const possible = task.needs.every((name) => planned.some((other) => other.name === name));
    if (wanted && possible) planned.push(task);
  }
  return planned;
}

function filesOf<P>(
  task: TaskDefinition<P>,
  definition: PipelineDefinition<P>,
  results: ReadonlyMap<string, TaskManifest>,
  inputs: Readonly<Record<string, TaskFile>>,
  resources: Readonly<Record<string, TaskFile>>,
  workDir: string,
): Record<string, TaskFile> {
  const out: Record<string, TaskFile> = {};
  for (const role of task.reads ?? []) {
    const file = inputs[role] ?? resources[role];
    if (file) out[role] = { path: file.path, sha256: file.sha256 };
  }
  for (const name of [...task.needs, ...(task.uses ?? [])]) {
    if (!definition.tasks.some((other) => other.name === name))
      throw new EngramError('INTERNAL', `${task.name} needs ${name}, which ${definition.name} lacks`);
    for (const file of results.get(name)?.files ?? [])
      out[`${name}/${file.name}`] = { path: join(workDir, name, file.name), sha256: file.sha256 };
  }
  return out;
}

async function loadResult(
  store: TaskStore,
  results: ReadonlyMap<string, TaskManifest>,
  task: string,
  workDir: string,
): Promise<void> {
  const dir = join(workDir, task);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const manifest = results.get(task);
  if (manifest) await store.load(manifest.key, dir);
}

interface Job<P> {
  readonly task: TaskDefinition<P>;
  readonly key: string;
  readonly child: TaskProcess;
  readonly files: Readonly<Record<string, TaskFile>>;
  readonly inputs: Readonly<Record<string, HashedInput>>;
  readonly parameters: P;
  readonly workDir: string;
  readonly store: TaskStore;
  readonly results: Map<string, TaskManifest>;
  readonly device: { readonly name: string };
  readonly base: Pick<TaskLog, 'name' | 'version' | 'started'>;
}

async function runTask<P>(job: Job<P>, onShare: (share: number, seconds: number) => void): Promise<TaskLog> {
  const { task, key, child, files, parameters, store, results } = job;
  const dir = join(job.workDir, task.name);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const notes: string[] = [];
  const warnings: string[] = [];
  const clock = performance.now();
  const tracer = (task.reads ?? []).map((role) => job.inputs[role]?.tracer).find((name) => name !== undefined);
  const outcome = await child.run(
    { task: task.name, inputs: files, tracer, parameters, workDir: dir },
    {
      progress: (share) => onShare(share, (performance.now() - clock) / 1000),
      note: (text, warning) => (warning ? warnings : notes).push(text),
    },
  );
  const { seconds, cpuSeconds, peakMemoryMb } = outcome;
  let error = outcome.error;
  if (!error) {
    try {
      const manifest: TaskManifest = {
        schema: 'engram/task-result/1',
        key,
        task: task.name,
        version: task.version,
        device: job.device.name,
        files: await describe(task, dir),
        notes,
        warnings,
        seconds,
        cpu_seconds: cpuSeconds,
        peak_memory_mb: peakMemoryMb,
      };
      await store.save(key, dir, manifest);
      results.set(task.name, manifest);
    } catch (cause) {
      error = cause instanceof EngramError ? cause : storeError(cause);
    }
  }
  const status: TaskStatus = error ? 'failed' : 'completed';
  return { ...job.base, status, key, reused: false, seconds, cpuSeconds, peakMemoryMb, notes, warnings, error };
}

async function describe<P>(task: TaskDefinition<P>, dir: string): Promise<TaskManifest['files']> {
  const files: TaskManifest['files'] = [];
  for (const name of task.outputs) {
    const path = join(dir, name);
    const entry = await stat(path).catch(() => undefined);
    if (!entry) throw new EngramError('INTERNAL', `${task.name} did not write ${name}`, { file: name });
    files.push({ name, sha256: await fileSha256(path), bytes: entry.size });
  }
  return files;
}

function storeError(cause: unknown): EngramError {
  const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
  return new EngramError(full ? 'DISK_FULL' : 'INTERNAL', 'the result of a task could not be kept', { cause });
}
