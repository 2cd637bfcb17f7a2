/** Starts one server, waits until it answers, and stops it. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngramError } from '@engram/errors';
import { ensureInstalled, type InstallOptions } from '../install/ensure-installed.ts';
import type { Place, ServerDefinition } from '../server.ts';
import { freePorts } from './ports.ts';
import { isAlive, killProcess, type ProcessId, startDetached, stopProcess } from './process.ts';
import { readState, writeState } from './state.ts';

export interface RunningServer {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Holds its settings and its data. */
  readonly dir: string;
  /** The file that its output goes to. */
  readonly log: string;
  /** Ends the process; its data stays, and a start on the same folder finds it at the same ports. */
  stop(): Promise<void>;
  /** As a machine that loses power would. */
  kill(): Promise<void>;
}

export interface StartOptions extends InstallOptions {
  /** Holds one folder a server. */
  readonly dir: string;
  /** Ports that must be these, by server and name; free ones are chosen otherwise. */
  readonly ports?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Whether they will be worked for long. Default false. */
  readonly busy?: boolean;
}

const ASK_EVERY_MS = 200;
const LOG_LINES = 15;

/**
 * @returns the server that already runs in the folder, or a new one, when it answers.
 * @throws PACKAGE_UNAVAILABLE when it cannot be installed; UPSTREAM_FAILED with its last lines when it ends or does not answer.
 */
export async function startServer(server: ServerDefinition, options: StartOptions): Promise<RunningServer> {
  const running = await findRunning(server, options.dir);
  if (running !== undefined) return running;
  const { progress = () => {} } = options;
  const installed = await ensureInstalled(server, options);
  const dir = join(resolve(options.dir), server.name);
  await mkdir(dir, { recursive: true });
  const place: Place = {
    installed,
    dir,
    ports: options.ports?.[server.name] ?? (await readState(dir))?.ports ?? (await namedPorts(server)),
    busy: options.busy ?? false,
  };
  const log = join(dir, 'output.log');
  const start = performance.now();
  const id = await startDetached(await server.launch(place), dir, log);
  await writeState(dir, { process: id, installed, ports: place.ports, log });
  try {
    await untilReady(server, place, id, log);
  } catch (error) {
    await stopProcess(id);
    throw error;
  }
  progress(`${server.name}: answers after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return runningServer(server, place, id, log);
}

export async function findRunning(server: ServerDefinition, parent: string): Promise<RunningServer | undefined> {
  const dir = join(resolve(parent), server.name);
  const state = await readState(dir);
  if (state === undefined || !isAlive(state.process)) return undefined;
  const place = { installed: state.installed, dir, ports: state.ports, busy: false };
  return runningServer(server, place, state.process, state.log);
}

/** Removes the data of a server that does not run. */
export const removeData = (server: ServerDefinition, parent: string): Promise<void> =>
  rm(join(resolve(parent), server.name), { recursive: true, force: true });

function runningServer(server: ServerDefinition, place: Place, id: ProcessId, log: string): RunningServer {
  const environment = server.environment(place);
  return {
    name: server.name,
    url: Object.values(environment)[0] ?? '',
    pid: id.pid,
    ports: place.ports,
    environment,
    dir: place.dir,
    log,
    stop: () => stopProcess(id),
    kill: () => killProcess(id),
  };
}

async function namedPorts(server: ServerDefinition): Promise<Record<string, number>> {
  const numbers = await freePorts(server.ports.length);
  return Object.fromEntries(server.ports.map((name, i) => [name, numbers[i] as number]));
}

async function untilReady(server: ServerDefinition, place: Place, id: ProcessId, log: string): Promise<void> {
  const end = Date.now() + server.startupMs;
  for (;;) {
    try {
      return await server.ready(place);
    } catch (cause) {
      if (!isAlive(id)) throw await notReady(`${server.name} ended while starting`, log, cause);
      if (Date.now() > end) throw await notReady(`${server.name} does not answer`, log, cause);
    }
    await sleep(ASK_EVERY_MS);
  }
}

async function notReady(what: string, log: string, cause: unknown): Promise<EngramError> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-LOG_LINES);
  return new EngramError('UPSTREAM_FAILED', `${what}; its last lines:\n${lines.join('\n')}`, { cause });
}
