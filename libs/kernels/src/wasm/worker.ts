/** One thread of the pool: sleeps until a dispatch, takes its part, says so. */
import { workerData } from 'node:worker_threads';
import { instantiate, takeChunks, type WorkerData, word } from './control.ts';

const { thread, control, values, memory, module, names }: WorkerData = workerData;
const kernels = instantiate(module, memory, names);
let generation = 0;
for (;;) {
  Atomics.wait(control, word.generation, generation);
  generation = Atomics.load(control, word.generation);
  try {
    takeChunks(control, values, kernels, thread);
  } catch {
    // The main thread must not wait for ever; it throws in our place.
    Atomics.add(control, word.failed, 1);
  }
  Atomics.add(control, word.done, 1);
  Atomics.notify(control, word.done);
}
