/** The run's handle on its child process: started when first needed, started again after a crash, ended with the run. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EngramError } from '@engram/errors';
import type { DeviceOptions } from '@engram/kernels';
import type { ChildMessage, RunTaskMessage } from './child-messages.ts';
import { type MemoryWatch, watchMemory } from './memory-watch.ts';

export interface TaskLimits {
  /** Resident memory of the child. */
  readonly memoryMb: number;
  /** Wall-clock time of one task. */
  readonly taskSeconds: number;
}

export interface TaskEvents {
  progress(fraction: number): void;
  note(text: string, warning: boolean): void;
}

export interface TaskOutcome {
  readonly error: EngramError | undefined;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
}

export interface TaskProcess {
  /** Which device the tasks run on. @throws what opening it threw. */
  device(): Promise<{ readonly backend: string; readonly name: string }>;
  /** Never rejects: a failure is in the outcome. */
  run(message: Omit<RunTaskMessage, 'type'>, events: TaskEvents): Promise<TaskOutcome>;
  /** Ends the child at once; safe at any time, and more than once. */
  close(): void;
}

interface Live {
  readonly child: ChildProcess;
  readonly memory: MemoryWatch;
  readonly device: { readonly backend: string; readonly name: string };
  /** Why we ended it, where we did. */
  reason: EngramError | undefined;
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const START_SECONDS = 60;

export function startTaskProcess(moduleUrl: string, choice: DeviceOptions, limits: TaskLimits): TaskProcess {
  let live: Promise<Live> | undefined;
  let closed = false;
  const open: Set<ChildProcess> = new Set();

  const start = async (): Promise<Live> => {
    if (closed) throw new EngramError('RUN_CANCELLED', 'the run was cancelled');
    const child = fork(CHILD, [moduleUrl, JSON.stringify(choice)], {
      execArgv: [`--max-old-space-size=${Math.max(512, Math.floor(limits.memoryMb / 2))}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    open.add(child);
    const stderr = lastLines(child);
    const { promise, resolve, reject } = Promise.withResolvers<Live>();
    const timer = setTimeout(() => child.kill('SIGKILL'), START_SECONDS * 1000);
    child.once('message', (message: ChildMessage) => {
      if (message.type === 'ready') {
        const state: Live = { child, memory: watch(child, () => state), device: message.device, reason: undefined };
        resolve(state);
      } else if (message.type === 'failed') reject(EngramError.fromJSON(message.error));
    });
    child.once('error', (cause) =>
      reject(new EngramError('TASK_CRASHED', 'the task process did not start', { cause })),
    );
    child.once('exit', (code, signal) => {
      open.delete(child);
      reject(new EngramError('TASK_CRASHED', `the task process did not start (${ending(code, signal)})${stderr()}`));
    });
    return promise.finally(() => clearTimeout(timer));
  };

  const watch = (child: ChildProcess, state: () => Live): MemoryWatch =>
    watchMemory(child.pid ?? 0, limits.memoryMb, (mb) => {
      state().reason = new EngramError(
        'TASK_OUT_OF_MEMORY',
        `the task used ${Math.round(mb)} MB; the limit is ${limits.memoryMb} MB`,
      );
      child.kill('SIGKILL');
    });

  const alive = (): Promise<Live> => {
    live ??= start().catch((error: unknown) => {
      live = undefined;
      throw error;
    });
    return live;
  };

  const run: TaskProcess['run'] = async (message, events) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    let state: Live;
    try {
      state = await alive();
    } catch (error) {
      const coded = error instanceof EngramError ? error : new EngramError('TASK_CRASHED', String(error));
      return { error: coded, seconds: seconds(), cpuSeconds: 0, peakMemoryMb: 0 };
    }
    const { child, memory } = state;
    memory.reset();
    const { promise, resolve } = Promise.withResolvers<Pick<TaskOutcome, 'error' | 'cpuSeconds'>>();
    const onMessage = (told: ChildMessage): void => {
      if (told.type === 'progress') events.progress(told.fraction);
      else if (told.type === 'note') events.note(told.text, told.warning);
      else if (told.type === 'done') resolve({ error: undefined, cpuSeconds: told.cpuSeconds });
      else if (told.type === 'failed')
        resolve({ error: EngramError.fromJSON(told.error), cpuSeconds: told.cpuSeconds });
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
      live = undefined;
      memory.stop();
      const crash = new EngramError('TASK_CRASHED', `the process of ${message.task} ended (${ending(code, signal)})`);
      resolve({ error: state.reason ?? crash, cpuSeconds: 0 });
    };
    const timer = setTimeout(() => {
      state.reason = new EngramError('TASK_TIMEOUT', `${message.task} ran longer than ${limits.taskSeconds} s`);
      child.kill('SIGKILL');
    }, limits.taskSeconds * 1000);
    child.on('message', onMessage);
    child.once('exit', onExit);
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode);
    else child.send({ type: 'run', ...message });
    const { error, cpuSeconds } = await promise;
    clearTimeout(timer);
    child.off('message', onMessage);
    child.off('exit', onExit);
    return { error, seconds: seconds(), cpuSeconds, peakMemoryMb: memory.peakMb() };
  };

  return {
    device: async () => (await alive()).device,
    run,
    close: () => {
      closed = true;
      for (const child of open) child.kill('SIGKILL');
      live?.then(({ memory }) => memory.stop()).catch(() => {});
    },
  };
}

const ending = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `exit ${code}` : `signal ${signal}`;

/** The end of the child's stderr, for the message of a crash at the start. */
function lastLines(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('utf8')).slice(-2000);
  });
  return () => {
    const line = text.split('\n').findLast((entry) => /error/i.test(entry));
    return line === undefined ? '' : `: ${line.trim().slice(0, 200)}`;
  };
}
