/** Looks at the platform every few seconds while it works: memory and CPU of each process, how far each group is behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openBus } from '@engram/bus';
import { GROUPS } from '../e2e/events.ts';
import { type Usage, usageOf } from './processes.ts';

export interface Watched {
  readonly name: string;
  readonly pid: number;
}

export interface Samples {
  /** Resident memory of the largest process of a name, one value a look, in MB. */
  readonly residentMb: ReadonlyMap<string, readonly number[]>;
  /** Of all processes of a name together, since the watch began. */
  readonly cpuSeconds: ReadonlyMap<string, number>;
  /** Most events that a group had before it, by group. */
  readonly lag: ReadonlyMap<string, number>;
}

const EVERY_MS = 3000;

/** @returns what ends the watch and tells. A process that is killed meanwhile counts with its last sample. */
export async function watch(busUrl: string, watched: readonly Watched[]): Promise<() => Promise<Samples>> {
  const stop = new AbortController();
  const bus = await openBus(busUrl);
  const lag = new Map<string, number>();
  const residentMb = new Map<string, number[]>();
  const first = new Map<number, Usage>();
  const last = new Map<number, Usage>();

  function sampleProcesses(): void {
    const now = new Map<string, number>();
    for (const { name, pid } of watched) {
      const usage = usageOf(pid);
      if (usage === undefined) continue;
      if (!first.has(pid)) first.set(pid, usage);
      last.set(pid, usage);
      now.set(name, Math.max(now.get(name) ?? 0, usage.residentMb));
    }
    for (const [name, largest] of now) residentMb.set(name, [...(residentMb.get(name) ?? []), largest]);
  }

  async function sampleLag(): Promise<void> {
    for (const group of GROUPS) {
      const { events } = await bus.lag(group);
      lag.set(group, Math.max(lag.get(group) ?? 0, events));
    }
  }

  const watching = (async () => {
    while (!stop.signal.aborted) {
      sampleProcesses();
      await sampleLag().catch(() => undefined);
      await sleep(EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();

  return async () => {
    stop.abort();
    await watching;
    sampleProcesses();
    await bus.close();
    const cpuSeconds = new Map<string, number>();
    for (const { name, pid } of watched) {
      const used = (last.get(pid)?.cpuSeconds ?? 0) - (first.get(pid)?.cpuSeconds ?? 0);
      cpuSeconds.set(name, (cpuSeconds.get(name) ?? 0) + used);
    }
    return { residentMb, cpuSeconds, lag };
  };
}
