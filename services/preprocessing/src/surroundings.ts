/** What a worker has of its machine besides the ports: time that passes, and a folder to work in. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Gone when the run's work ends. */
export interface WorkFolder {
  readonly inputs: string;
  /** Empty. */
  readonly work: string;
  remove(): Promise<void>;
}

export interface Surroundings {
  /** Resolves after so many milliseconds, or as soon as the signal is given. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** @returns what ends it. */
  every(ms: number, work: () => void): () => void;
  openFolder(): Promise<WorkFolder>;
}

export const machine: Surroundings = {
  pause: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  every(ms, work) {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  },
  async openFolder() {
    const folder = await mkdtemp(join(tmpdir(), 'engram-run-'));
    const [inputs, work] = [join(folder, 'inputs'), join(folder, 'work')];
    await mkdir(work);
    return { inputs, work, remove: () => rm(folder, { recursive: true, force: true }) };
  },
};
