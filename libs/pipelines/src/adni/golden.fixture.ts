/**
 * What each task made of the phantom when its version was last raised, as hashes: a changed output under the same version
 * would leave old results in every store. After a wanted change: raise the task's version, then `ENGRAM_GOLDEN=update`
 * with this test.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSha256 } from '@engram/cache';
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.ts';
import type { RunOutcome } from '../runner.ts';
import type { AnyPipeline } from '../task.ts';

const golden = z.record(z.string(), z.object({ version: z.int(), files: z.record(z.string(), z.string()) }));

const FILE = new URL('../../golden/adni.json', import.meta.url);

/** One sentence for each task whose output changed although its version did not, or whose version has no hashes yet. */
export async function compareWithGolden(outcome: RunOutcome, tasks: AnyPipeline['tasks']): Promise<readonly string[]> {
  const now: z.infer<typeof golden> = {};
  for (const { name, version, outputs } of tasks) {
    const files: Record<string, string> = {};
    for (const file of outputs) files[file] = await fileSha256(outcome.output(join(name, file)));
    now[name] = { version, files };
  }
  if (process.env['ENGRAM_GOLDEN'] === 'update') await writeFile(FILE, `${JSON.stringify(now, null, 2)}\n`);
  const kept = golden.parse(JSON.parse(await readFile(FILE, 'utf8')));
  return tasks.flatMap(({ name }) => {
    const [before, after] = [kept[name], now[name]];
    if (before?.version !== after.version) return [`${name} has version ${after.version}: update golden/adni.json`];
    if (canonicalJson(before.files) === canonicalJson(after.files)) return [];
    const changed = Object.keys(after.files).filter((file) => before.files[file] !== after.files[file]);
    return [`${name} writes another ${changed.join(', ')} under version ${after.version}: raise its version`];
  });
}
