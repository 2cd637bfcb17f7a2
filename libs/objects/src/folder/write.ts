/** What appears in the folder appears by one rename or link, and survives a power cut. */
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { coded, temporaryFile } from '../temporary-file.ts';

/** Makes renames and links in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Text into place by rename. `exclusive`: by link(2), which fails with EEXIST when the name is taken, atomically. */
export async function placeText(temporary: string, target: string, text: string, exclusive: boolean): Promise<void> {
  const file = temporaryFile(temporary);
  try {
    const handle = await open(file, 'wx', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await mkdir(dirname(target), { recursive: true });
    if (exclusive) await link(file, target);
    else await rename(file, target);
    await syncFolder(dirname(target));
  } catch (error) {
    throw coded(error);
  } finally {
    await rm(file, { force: true });
  }
}
