/**
 * Runs jobs with order per key and concurrency across keys only: a key's next job starts when its last one has ended,
 * and at most `concurrency` keys are under way. Keys take turns, so that one key's backlog does not starve the others.
 */
export interface KeyQueues {
  add(key: string, job: () => Promise<void>): void;
  /** Resolves when the jobs that are under way now have ended. */
  idle(): Promise<void>;
  /** Starts nothing more; resolves when the jobs under way have ended. Jobs not started are dropped. */
  close(): Promise<void>;
}

export function keyQueues(concurrency: number): KeyQueues {
  const waiting = new Map<string, (() => Promise<void>)[]>();
  /** Keys with a job to start and none under way, in turn. */
  const ready: string[] = [];
  const busy = new Map<string, Promise<void>>();
  let closed = false;

  function start(): void {
    while (!closed && busy.size < concurrency) {
      const key = ready.shift();
      if (key === undefined) return;
      const jobs = waiting.get(key);
      const job = jobs?.shift();
      if (!job) continue;
      busy.set(key, run(key, job));
    }
  }

  async function run(key: string, job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } finally {
      busy.delete(key);
      if (waiting.get(key)?.length) ready.push(key);
      else waiting.delete(key);
      start();
    }
  }

  const idle = async () => void (await Promise.allSettled(busy.values()));

  return {
    add(key, job) {
      const jobs = waiting.get(key);
      if (jobs) jobs.push(job);
      else waiting.set(key, [job]);
      if (!busy.has(key) && !ready.includes(key)) ready.push(key);
      start();
    },
    idle,
    async close() {
      closed = true;
      await idle();
    },
  };
}
