/** The phantom's sessions as they are made by phantom.worker.ts, one after another. */
import { Worker } from 'node:worker_threads';
import { EngramError } from '@engram/errors';
import type { AtlasFolder } from '@engram/pipelines';
import type { DemoPlan, DemoSession } from './scans.ts';

interface Message {
  readonly session?: DemoSession;
  readonly error?: { readonly code: string; readonly message: string };
}

/** @throws whatever stopped the worker, such as DISK_FULL. */
export async function* phantomSessions(
  atlasFolder: AtlasFolder,
  folder: string,
  plans: readonly DemoPlan[],
): AsyncGenerator<DemoSession> {
  const worker = new Worker(new URL('./phantom.worker.ts', import.meta.url), {
    workerData: { atlasFolder, folder, plans },
  });
  const queue: Message[] = [];
  let wake = () => {};
  worker.on('message', (message: Message) => {
    queue.push(message);
    wake();
  });
  worker.on('error', (cause) => {
    queue.push({ error: { code: 'INTERNAL', message: cause instanceof Error ? cause.message : String(cause) } });
    wake();
  });
  // A thread that ends early (out of memory) says nothing else: without this the demo would wait for ever. Nothing may be
  // awaited on `exit` itself: it may have come while the last session was being posted.
  worker.on('exit', (code) => {
    queue.push({ error: { code: 'INTERNAL', message: `the phantom's thread ended with code ${code}` } });
    wake();
  });
  try {
    for (let made = 0; made < plans.length; ) {
      const message = queue.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      if (message.error !== undefined) throw EngramError.fromJSON(message.error);
      if (message.session !== undefined) yield message.session;
      made++;
    }
  } finally {
    await worker.terminate();
  }
}
