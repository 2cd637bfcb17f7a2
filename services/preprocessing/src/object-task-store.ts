/**
 * Results of tasks in the object store, so that any worker finds what another has done: files under `tasks/{key}/`, the
 * manifest written last, by put-if-absent. What has no manifest does not exist.
 */
import { join } from 'node:path';
import { TASKS_PREFIX } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import type { Objects } from '@engram/objects';
import { type TaskManifest, type TaskStore, taskManifest } from '@engram/pipelines';

const MANIFEST = 'manifest.json';
const KEY = /^[0-9a-f]{16,128}$/;

const at = (key: string, name: string): string => {
  if (!KEY.test(key)) throw new EngramError('INTERNAL', 'a task key is a hex digest', { field: 'key' });
  return `${TASKS_PREFIX}${key}/${name}`;
};

export function objectTaskStore(objects: Objects): TaskStore {
  async function find(key: string): Promise<TaskManifest | undefined> {
    try {
      const bytes = await objects.get(at(key, MANIFEST));
      const parsed = taskManifest.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
      return parsed.success ? parsed.data : undefined;
    } catch (error) {
      const absent = isEngramError(error, 'OBJECT_NOT_FOUND') || isEngramError(error, 'OBJECT_CORRUPT');
      if (absent || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  return {
    find,
    async load(key, dir) {
      const manifest = await find(key);
      if (!manifest) throw new EngramError('OBJECT_NOT_FOUND', 'the result of a task is gone', { file: key });
      for (const { name, sha256 } of manifest.files) {
        try {
          const info = await objects.download(at(key, name), join(dir, name));
          if (info.sha256 === sha256) continue;
          throw new EngramError('OBJECT_CORRUPT', `${name} of ${manifest.task} does not match its sha256`, {
            file: name,
          });
        } catch (error) {
          // Without its manifest the result does not exist, so the next try makes it again.
          await objects.remove(at(key, MANIFEST));
          throw error;
        }
      }
    },
    async save(key, dir, manifest) {
      for (const { name, sha256 } of manifest.files) {
        await objects.put(at(key, name), { file: join(dir, name) }, { sha256 });
      }
      const text = Buffer.from(JSON.stringify(manifest));
      try {
        await objects.put(at(key, MANIFEST), text, { ifAbsent: true, contentType: 'application/json' });
      } catch (error) {
        if (!isEngramError(error, 'OBJECT_EXISTS')) throw error;
      }
    },
  };
}
