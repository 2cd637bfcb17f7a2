/** `<dir>/<server>/server.json`: what was started there, so that another process can find and stop it. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessId } from './process.ts';

export interface ServerState {
  readonly process: ProcessId;
  readonly installed: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly log: string;
}

const fileOf = (dir: string): string => join(dir, 'server.json');

export async function readState(dir: string): Promise<ServerState | undefined> {
  const text = await readFile(fileOf(dir), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ServerState);
}

export async function writeState(dir: string, state: ServerState): Promise<void> {
  const part = `${fileOf(dir)}.part`;
  await writeFile(part, `${JSON.stringify(state, null, 2)}\n`);
  await rename(part, fileOf(dir));
}
