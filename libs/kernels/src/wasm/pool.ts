import { Worker } from 'node:worker_threads';
import { EngramError } from '@engram/errors';
import { ARGUMENTS, instantiate, takeChunks, WORDS, word } from './control.ts';

export interface Dispatch {
  readonly values: readonly number[];
  readonly items: number;
  /** Items a thread takes at a time. */
  readonly chunk: number;
  readonly scratch: number;
  readonly scratchStride: number;
  /** Not worth waking the others: the main thread alone does it. */
  readonly alone: boolean;
}

export interface Pool {
  readonly threads: number;
  /** Runs an exported kernel over all items and returns when all are done. */
  run(kernel: string, dispatch: Dispatch): void;
  close(): Promise<void>;
}

/**
 * Persistent threads over one shared memory: the calling thread and `threads - 1` workers, which sleep between dispatches
 * and keep no process alive. A worker that has not started yet joins in at the first dispatch it sees.
 */
export function openPool(module: WebAssembly.Module, memory: WebAssembly.Memory, threads: number): Pool {
  const names = WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => name);
  const kernels = instantiate(module, memory, names);
  const control = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const values = new Float64Array(new SharedArrayBuffer(ARGUMENTS * 8));
  const workers = Array.from({ length: threads - 1 }, (_, i) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { thread: i + 1, control, values, memory, module, names },
      // Not the parent's: a test runner's loaders have no business here.
      execArgv: [],
    });
    worker.unref();
    return worker;
  });

  return {
    threads,
    run: (kernel, { values: given, items, chunk, scratch, scratchStride, alone }) => {
      values.set(given);
      control[word.kernel] = names.indexOf(kernel);
      control[word.argumentCount] = given.length;
      control[word.items] = items;
      control[word.chunk] = chunk;
      control[word.scratch] = scratch;
      control[word.scratchStride] = scratchStride;
      control[word.failed] = 0;
      Atomics.store(control, word.next, 0);
      Atomics.store(control, word.done, 0);
      const helpers = alone ? 0 : workers.length;
      if (helpers > 0) {
        Atomics.add(control, word.generation, 1);
        Atomics.notify(control, word.generation);
      }
      takeChunks(control, values, kernels, 0);
      for (let done = Atomics.load(control, word.done); done < helpers; done = Atomics.load(control, word.done)) {
        Atomics.wait(control, word.done, done);
      }
      if (control[word.failed] > 0) throw new EngramError('INTERNAL', `The kernel ${kernel} trapped in a worker`);
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
