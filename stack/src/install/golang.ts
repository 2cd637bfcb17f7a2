/** Programs built by Go from a pinned module, from the proxy of the user's own Go settings. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '@engram/cache';
import type { InstallFolders, Progress } from '../server.ts';

const TIMEOUT_MS = 1_800_000;

/**
 * Builds `module@version` into `bin/`. The binary differs from one Go release to the next, so what is checked is the list
 * that it carries: every module that went into it, with Go's own hash of that module's source.
 * @throws PACKAGE_UNAVAILABLE
 */
export async function buildGoProgram(
  module: string,
  version: string,
  { folder, work, checksums }: InstallFolders,
  progress: Progress,
): Promise<void> {
  progress('building with Go, which takes minutes the first time');
  const bin = join(folder, 'bin');
  const flags = ['-p', '2', '-trimpath', '-buildvcs=false', '-ldflags=-s -w'];
  await runTool('go', ['install', ...flags, `${module}@${version}`], {
    cwd: work,
    env: { GOBIN: bin },
    timeoutMs: TIMEOUT_MS,
  });
  const program = join(bin, module.split('/').at(-1) ?? module);
  const details = await runTool('go', ['version', '-m', program], { cwd: work });
  const modules = [...details.matchAll(/^\t(?:mod|dep|=>)\t(.+)$/gm)].map(([, line]) => line).sort();
  const list = join(folder, 'modules');
  await mkdir(list);
  await writeFile(join(list, 'modules.txt'), `${modules.join('\n')}\n`);
  await checksums.check(list);
}
