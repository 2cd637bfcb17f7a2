/** Keeps intermediate results under a cap: the oldest go first. They cost time when they are missed, never correctness. */
import { TASKS_PREFIX } from '@engram/contracts';
import type { Objects } from '@engram/objects';

export interface TaskResult {
  readonly key: string;
  readonly bytes: number;
  /** ISO 8601 instant of its newest object. */
  readonly modified: string;
  readonly objects: readonly string[];
}

/** The oldest results whose going brings the total to the cap or below. Pure. */
export function chooseEvicted(results: readonly TaskResult[], capBytes: number): readonly TaskResult[] {
  let total = results.reduce((sum, { bytes }) => sum + bytes, 0);
  const evicted: TaskResult[] = [];
  for (const result of [...results].sort((a, b) => (a.modified < b.modified ? -1 : 1))) {
    if (total <= capBytes) break;
    total -= result.bytes;
    evicted.push(result);
  }
  return evicted;
}

function latest(a: string, b: string): string {
  if (a < b) return b;
  return a;
}

async function listResults(objects: Objects): Promise<TaskResult[]> {
  const results = new Map<string, TaskResult>();
  let cursor: string | null | undefined;
  do {
    const page = await objects.list(TASKS_PREFIX, { limit: 1000, ...(cursor ? { cursor } : {}) });
    for (const { key, bytes, modified } of page.objects) {
      const name = key.slice(TASKS_PREFIX.length).split('/', 1)[0] ?? '';
      const held = results.get(name) ?? { key: name, bytes: 0, modified: '', objects: [] };
      results.set(name, {
        key: name,
        bytes: held.bytes + bytes,
        modified: latest(held.modified, modified),
        objects: [...held.objects, key],
      });
    }
    cursor = page.next;
  } while (cursor);
  return [...results.values()];
}

/** @returns bytes freed. */
export async function evictTasks(objects: Objects, capBytes: number): Promise<number> {
  const evicted = chooseEvicted(await listResults(objects), capBytes);
  for (const { objects: keys } of evicted) {
    // The manifest first: a result without it does not exist, so no reader meets a part of one.
    const ordered = [...keys].sort(
      (a, b) => Number(b.endsWith('/manifest.json')) - Number(a.endsWith('/manifest.json')),
    );
    for (const key of ordered) await objects.remove(key);
  }
  return evicted.reduce((sum, { bytes }) => sum + bytes, 0);
}
