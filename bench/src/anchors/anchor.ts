/** Peer tools in a Python environment of their own, in the user's cache: nothing is installed by hand. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { appearWhole, cacheDir } from '@engram/cache';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../anchors', import.meta.url));
const requirements = join(folder, 'requirements.txt');
const LARGEST_OUTPUT = 64 << 20;

export interface Anchor {
  /** User and system, by stage. */
  readonly cpu_seconds: Readonly<Record<string, number>>;
  readonly peak_memory_mb: number;
}

/** Name and version of every tool, as pinned. */
export const anchorVersions = (): string =>
  readFileSync(requirements, 'utf8').trim().split('\n').join(', ').replaceAll('==', ' ');

let packages: Promise<string> | undefined;

/** The folder of the packages, for PYTHONPATH. Installs on first use, which takes minutes. */
export function anchorPackages(): Promise<string> {
  packages ??= install();
  return packages;
}

async function install(): Promise<string> {
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const home = join(cacheDir(), `anchors-${wanted}`);
  if (!existsSync(home)) {
    process.stderr.write('installing the anchors into the cache …\n');
    await appearWhole(home, async (fresh) => {
      await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', fresh, '-r', requirements]);
    });
  }
  return home;
}

/** Runs a Python script that needs the packages. @throws with what it printed when it fails. */
export async function runPython(script: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run('python3', [script, ...args], {
    maxBuffer: LARGEST_OUTPUT,
    env: {
      ...process.env,
      PYTHONPATH: await anchorPackages(),
      OMP_NUM_THREADS: '2',
      ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS: '2',
    },
  });
  return stdout;
}

/** Runs one of bench/anchors' scripts. */
export async function runAnchor(script: string, args: readonly string[]): Promise<Anchor> {
  const stdout = await runPython(join(folder, script), args);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Anchor;
}
