/** Engram's own processes, started as an operator starts them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ENGRAM = fileURLToPath(new URL('../../bin/engram.js', import.meta.url));
const STARTS_WITHIN_MS = 120_000;
const STOPS_WITHIN_MS = 40_000;

export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** SIGTERM to the command, as an orchestrator sends it. */
  stop(): Promise<Ending>;
  /** SIGKILL to all of its processes, as a machine that loses power. */
  kill(): Promise<void>;
}

export interface Ending {
  readonly status: number | null | 'late';
  /** Whether processes of it were still there when the command had ended. */
  readonly leftBehind: boolean;
}

/** `engram start [service]`. @throws what `startProcess` throws. */
export const startEngram = (
  service: string | undefined,
  environment: Readonly<Record<string, string>>,
  folder: string,
  url: string,
): Promise<Running> => {
  const args = [ENGRAM, 'start', ...(service === undefined ? [] : [service])];
  return startProcess({ name: service ?? 'platform', args, environment, folder, url });
};

export interface ProcessOptions {
  /** Of its log. */
  readonly name: string;
  /** Of Node. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it runs and logs. */
  readonly folder: string;
  readonly url: string;
}

/**
 * Ready when `url` says so.
 * @throws Error with the place of the log when it ends or does not get ready.
 */
export async function startProcess({ name, args, environment, folder, url }: ProcessOptions): Promise<Running> {
  mkdirSync(folder, { recursive: true });
  const log = join(folder, `${name}.log`);
  const output = openSync(log, 'a');
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...inherited(), ...environment },
    stdio: ['ignore', output, output],
    // A group of its own: whatever of it is left when this process fails can be ended as one.
    detached: true,
  });
  groups.add(child.pid ?? 0);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const end = Date.now() + STARTS_WITHIN_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}; see ${log}`);
    if (Date.now() > end) throw new Error(`${name} is not ready; see ${log}`);
    await sleep(200);
  }
  return { name, pid: child.pid ?? 0, log, stop: () => stop(child, ended), kill: () => kill(child, ended) };
}

/** Without settings of the caller's own platform. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('ENGRAM_') || name === 'ENGRAM_CACHE_DIR'),
  );

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3000) })).status === 200;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<Ending> {
  child.kill('SIGTERM');
  const late = sleep(STOPS_WITHIN_MS, 'late' as const, { ref: false });
  const status = await Promise.race([ended, late]);
  return { status, leftBehind: endGroup(child.pid ?? 0) };
}

async function kill(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  endGroup(child.pid ?? 0);
  await ended;
}

/** Leaders of the groups that may still hold a process. */
const groups = new Set<number>();

/** For a run that cannot end as it should. */
export function endAllEngrams(): void {
  for (const leader of groups) endGroup(leader);
}

/** What outlives its parent would hold ports and files for ever. @returns whether there was any. */
function endGroup(leader: number): boolean {
  groups.delete(leader);
  try {
    return process.kill(-leader, 'SIGKILL');
  } catch {
    return false;
  }
}
