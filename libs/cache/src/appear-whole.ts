import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Makes the folder `target` by filling an empty one beside it and renaming that: readers see it whole or not at all. What was
 * at `target` is replaced. Two processes may do this at once: the slower one's work is dropped.
 *
 * @param build fills `folder`; `work` is for what need not be kept. Both vanish when it throws.
 */
export async function appearWhole(
  target: string,
  build: (folder: string, work: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const part = await mkdtemp(`${target}.part-`);
  try {
    const folder = join(part, 'folder');
    const work = join(part, 'work');
    await mkdir(folder);
    await mkdir(work);
    await build(folder, work);
    await rm(target, { recursive: true, force: true });
    await rename(folder, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}
