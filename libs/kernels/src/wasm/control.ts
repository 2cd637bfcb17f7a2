/** The words that main thread and workers share, and the loop in which each takes its part of a dispatch. */

/** Of the Int32Array. */
export const word = {
  /** Raised by one for each dispatch: workers sleep on it. */
  generation: 0,
  /** Workers that finished this dispatch: the main thread sleeps on it. */
  done: 1,
  /** Next item to take. */
  next: 2,
  items: 3,
  chunk: 4,
  kernel: 5,
  argumentCount: 6,
  /** Byte pointer of thread 0's scratch, and the bytes of each thread. */
  scratch: 7,
  scratchStride: 8,
  /** Threads whose kernel trapped. */
  failed: 9,
} as const;

export const WORDS = 16;
/** float64: holds every pointer, integer and float32 exactly. */
export const ARGUMENTS = 32;

export type KernelFunction = (...values: number[]) => void;

export interface WorkerData {
  readonly thread: number;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly values: Float64Array<SharedArrayBuffer>;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly names: readonly string[];
}

export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  names: readonly string[],
): KernelFunction[] {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return names.map((name) => {
    const kernel = exports[name];
    if (typeof kernel !== 'function') throw new TypeError(`kernels.wasm exports no ${name}`);
    return (...values) => void kernel(...values);
  });
}

/** Takes chunks of the dispatch until none is left. */
export function takeChunks(
  control: Int32Array,
  values: Float64Array,
  kernels: readonly KernelFunction[],
  thread: number,
): void {
  const kernel = kernels[control[word.kernel]];
  const given = Array.from(values.subarray(0, control[word.argumentCount]));
  const items = control[word.items];
  const chunk = control[word.chunk];
  const scratch = (control[word.scratch] >>> 0) + thread * control[word.scratchStride];
  for (;;) {
    const from = Atomics.add(control, word.next, chunk);
    if (from >= items) return;
    kernel(...given, from, Math.min(from + chunk, items), scratch);
  }
}
