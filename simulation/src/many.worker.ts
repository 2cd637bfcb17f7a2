/** One thread of many schedules: every `step`th seed from `from`, told one by one. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Done, Share } from './many.ts';
import { record } from './recorded.ts';
import { simulate } from './simulate.ts';

const { from, end, step } = workerData as Share;
const recorded = await record();
for (let seed = from; seed < end; seed += step) {
  const { trace: _, ...outcome } = await simulate(seed, recorded);
  parentPort?.postMessage(outcome satisfies Done);
}
