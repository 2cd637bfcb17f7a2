/** A tiny pipeline over text files for the tests of the runner: every failure that a task can have, on request. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import { z } from 'zod';
import type { PipelineDefinition, TaskContext, TaskDefinition } from './task.ts';

const lettersParameters = z.object({
  /** File that each run of a task adds its name to; in no key, as where a log lies changes no result. */
  journal: z.string(),
  suffix: z.string().default('!'),
  /** Task that goes wrong, and how. */
  fault: z.object({ task: z.string(), kind: z.enum(['kill', 'hang', 'memory', 'error', 'lazy']) }).optional(),
});
export type LettersParameters = z.infer<typeof lettersParameters>;

async function start(name: string, { parameters, note }: TaskContext<LettersParameters>): Promise<void> {
  await appendFile(parameters.journal, `${name}\n`);
  note(`${name} ran`);
  const { fault } = parameters;
  if (fault?.task !== name) return;
  if (fault.kind === 'kill') process.kill(process.pid, 'SIGKILL');
  if (fault.kind === 'error') throw new EngramError('IMAGE_MODALITY', 'x.txt is no letter', { file: 'x.txt' });
  if (fault.kind === 'hang') await new Promise(() => setInterval(() => {}, 1000));
  if (fault.kind === 'memory') {
    const held: Buffer[] = [];
    for (;;) {
      held.push(Buffer.alloc(32 << 20, 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const task = (
  rest: Partial<TaskDefinition<LettersParameters>> & { readonly name: string },
  make: (context: TaskContext<LettersParameters>) => Promise<string>,
): TaskDefinition<LettersParameters> => ({
  version: 1,
  needs: [],
  weight: 1,
  outputs: ['out.txt'],
  parameterKeys: [],
  ...rest,
  run: async (context) => {
    await start(rest.name, context);
    context.progress(0.5);
    const { fault } = context.parameters;
    if (fault?.kind === 'lazy' && fault.task === rest.name) return;
    await writeFile(join(context.workDir, 'out.txt'), await make(context));
  },
});

const text = ({ input }: TaskContext<LettersParameters>, name: string): Promise<string> =>
  readFile(input(name).path, 'utf8');

export const pipeline: PipelineDefinition<LettersParameters> = {
  name: 'letters',
  version: '1.0',
  module: import.meta.url,
  inputs: [
    { role: 't1', required: true },
    { role: 'pet', required: false },
  ],
  parameters: lettersParameters,
  tasks: [
    task({ name: 'upper', reads: ['t1'] }, async (c) => (await text(c, 't1')).toUpperCase()),
    task({ name: 'mark', needs: ['upper'], parameterKeys: ['suffix'] }, async (c) => {
      c.warn('a mark was added');
      return `${await text(c, 'upper/out.txt')}${c.parameters.suffix}`;
    }),
    task({ name: 'pet', reads: ['pet'] }, async (c) => `${await text(c, 'pet')} by ${c.tracer ?? 'unknown'}`),
    task({ name: 'join', needs: ['mark'], uses: ['pet'], weight: 2 }, async (c) =>
      c.has('pet/out.txt')
        ? `${await text(c, 'mark/out.txt')}+${await text(c, 'pet/out.txt')}`
        : text(c, 'mark/out.txt'),
    ),
  ],
  artifacts: [
    { name: 'letters.txt', task: 'join', file: 'out.txt' },
    { name: 'pet.txt', task: 'pet', file: 'out.txt' },
  ],
};
