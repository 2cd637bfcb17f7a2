/** Three quick tasks in a row over a file of any kind, each of which writes its name into a journal when it starts. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineDefinition, TaskDefinition } from '@engram/pipelines';
import { z } from 'zod';

const parameters = z.object({ journal: z.string(), taskMs: z.number().default(150) });
type Parameters = z.infer<typeof parameters>;

const step = (
  name: string,
  from: { readonly reads?: string[]; readonly needs?: string[] },
): TaskDefinition<Parameters> => ({
  name,
  version: 1,
  needs: from.needs ?? [],
  ...(from.reads ? { reads: from.reads } : {}),
  weight: 1,
  outputs: ['out.txt'],
  parameterKeys: [],
  async run(context) {
    const { journal, taskMs } = context.parameters;
    await appendFile(journal, `${name}\n`);
    await sleep(taskMs / 2);
    context.progress(0.5);
    await sleep(taskMs / 2);
    const source = context.input(from.reads?.[0] ?? `${from.needs?.[0]}/out.txt`);
    await writeFile(join(context.workDir, 'out.txt'), `${await readFile(source.path, 'utf8')} ${name}`);
  },
});

export const pipeline: PipelineDefinition<Parameters> = {
  name: 'light',
  version: '1.0',
  module: import.meta.url,
  inputs: [{ role: 't1', required: true }],
  parameters,
  tasks: [step('one', { reads: ['t1'] }), step('two', { needs: ['one'] }), step('three', { needs: ['two'] })],
  artifacts: [{ name: 'result.txt', task: 'three', file: 'out.txt' }],
};
