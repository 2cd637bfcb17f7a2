/** A small file system in memory, which can be filled to its end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface WorkDisk {
  readonly folder: string;
  fill(): void;
  free(): void;
  remove(): void;
}

/** @returns undefined where this process may not mount one. */
export function mountWorkDisk(folder: string): WorkDisk | undefined {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const filling = join(folder, 'filling');
  return {
    folder,
    fill() {
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(filling, Buffer.alloc(Math.max(0, bavail - 1) * bsize));
    },
    free: () => rmSync(filling, { force: true }),
    remove: () => execFileSync('umount', [folder]),
  };
}
