/** Where results of tasks are kept. A key names content, so nothing in it is ever changed, only evicted. */
import { cp, link, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSha256 } from '@engram/cache';
import { EngramError } from '@engram/errors';
import { z } from 'zod';

export const taskManifest = z.object({
  schema: z.literal('engram/task-result/1'),
  key: z.string(),
  task: z.string(),
  version: z.int(),
  device: z.string(),
  files: z.array(z.object({ name: z.string(), sha256: z.string(), bytes: z.int() })),
  notes: z.array(z.string()),
  warnings: z.array(z.string()),
  seconds: z.number(),
  cpu_seconds: z.number(),
  peak_memory_mb: z.number(),
});
export type TaskManifest = z.infer<typeof taskManifest>;

export interface TaskStore {
  /** The manifest of a finished task, or undefined; a damaged one counts as absent. */
  find(key: string): Promise<TaskManifest | undefined>;
  /**
   * Puts the files of a result into `dir`.
   * @throws OBJECT_NOT_FOUND; OBJECT_CORRUPT when one does not match its hash: the key is then forgotten, so that `find`
   * lets it be made again.
   */
  load(key: string, dir: string): Promise<void>;
  /** Keeps the files that `manifest` names from `dir`; a second save of a key does no harm. */
  save(key: string, dir: string, manifest: TaskManifest): Promise<void>;
}

/** Results in a local folder, two levels deep; each appears whole or not at all. */
export function folderTaskStore(root: string): TaskStore {
  const at = (key: string) => join(root, key.slice(0, 2), key);
  const find = async (key: string): Promise<TaskManifest | undefined> => {
    const text = await readFile(join(at(key), 'manifest.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      return taskManifest.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  };
  return {
    find,
    load: async (key, dir) => {
      const manifest = await find(key);
      if (!manifest) throw new EngramError('OBJECT_NOT_FOUND', 'the result of a task is gone', { file: key });
      for (const { name, sha256 } of manifest.files) {
        const source = join(at(key), name);
        if ((await fileSha256(source).catch(() => '')) !== sha256) {
          await rm(at(key), { recursive: true, force: true });
          throw new EngramError('OBJECT_CORRUPT', `${name} of ${manifest.task} does not match its sha256`, {
            file: name,
          });
        }
        await link(source, join(dir, name)).catch(() => cp(source, join(dir, name)));
      }
    },
    save: async (key, dir, manifest) => {
      await mkdir(join(root, key.slice(0, 2)), { recursive: true });
      const work = await mkdtemp(join(root, '.part-'));
      try {
        for (const { name } of manifest.files) await cp(join(dir, name), join(work, name));
        await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
        await rename(work, at(key));
      } catch (error) {
        await rm(work, { recursive: true, force: true });
        if ((await find(key)) === undefined) throw error;
      }
    },
  };
}
