/** Processes that outlive this one: known by id and birth, so that a reused id is never mistaken for ours. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngramError } from '@engram/errors';
import type { Launch } from '../server.ts';

export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot at which it started; null where /proc does not tell. */
  readonly birth: string | null;
}

/** Starts a program in a session of its own, with its output appended to the file `log`. */
export async function startDetached(launch: Launch, cwd: string, log: string): Promise<ProcessId> {
  const output = await open(log, 'a');
  try {
    const child = spawn(launch.program, launch.args, {
      cwd,
      env: { ...process.env, ...launch.env },
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) =>
        reject(new EngramError('PACKAGE_UNAVAILABLE', `${launch.program} cannot be started here`, { cause })),
      );
    });
    child.unref();
    const pid = child.pid as number;
    return { pid, birth: statOf(pid)?.birth ?? null };
  } finally {
    await output.close();
  }
}

export function isAlive({ pid, birth }: ProcessId): boolean {
  const stat = statOf(pid);
  if (stat !== undefined) return stat.state !== 'Z' && stat.birth === birth;
  if (birth !== null) return false;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const PATIENCE_MS = 20_000;

/** SIGTERM, and SIGKILL to what has not ended by itself in time. */
export async function stopProcess(id: ProcessId): Promise<void> {
  if (!(await endBy('SIGTERM', id))) await killProcess(id);
}

export async function killProcess(id: ProcessId): Promise<void> {
  await endBy('SIGKILL', id);
}

async function endBy(signal: NodeJS.Signals, id: ProcessId): Promise<boolean> {
  if (!isAlive(id)) return true;
  process.kill(id.pid, signal);
  const end = Date.now() + PATIENCE_MS;
  while (isAlive(id) && Date.now() < end) await sleep(50);
  return !isAlive(id);
}

/** Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold anything, so fields are counted from its end. */
function statOf(pid: number): { state: string; birth: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', birth: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
