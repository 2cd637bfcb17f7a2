/** Our own small Java programs around the fetched jars, and how a JVM is started. */
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appearWhole, fileSha256, runTool } from '@engram/cache';
import type { Launch, Place } from '../server.ts';

const SOURCES = fileURLToPath(new URL('../../java/', import.meta.url));

/**
 * Compiles `java/<name>.java` against the jars of an installation, once for every state of the sources.
 * @param names of one program's sources.
 * @returns the folder of its classes. @throws PACKAGE_UNAVAILABLE with javac's first error.
 */
export async function compileJava(names: readonly string[], installed: string): Promise<string> {
  const sources = names.map((name) => join(SOURCES, `${name}.java`));
  const classes = join(installed, `classes-${await stateOf(sources)}`);
  const compiled = await access(classes).then(
    () => true,
    () => false,
  );
  if (compiled) return classes;
  const options = ['-nowarn', '-proc:none', '-cp', join(installed, 'lib', '*')];
  await appearWhole(classes, async (folder) => {
    await runTool('javac', [...options, '-d', folder, ...sources], { cwd: folder });
  });
  return classes;
}

async function stateOf(files: readonly string[]): Promise<string> {
  const sums = await Promise.all(files.map((file) => fileSha256(file)));
  return createHash('sha256').update(sums.join('\n')).digest('hex').slice(0, 16);
}

export interface JavaProgram {
  readonly main: string;
  readonly args: readonly string[];
  readonly heapMb: number;
  readonly options?: readonly string[];
  /** Folders that come before the jars in the class path: our classes, logging settings. */
  readonly folders?: readonly string[];
}

/**
 * The serial collector and the first compiler only: these servers are small, live for minutes, and share a machine with the
 * tests. The second compiler would double the start of the larger ones. A busy one gets it, and twice the heap.
 */
export function java(
  { installed, busy }: Pick<Place, 'installed' | 'busy'>,
  { main, args, heapMb, options = [], folders = [] }: JavaProgram,
): Launch {
  const classPath = [...folders, join(installed, 'lib', '*')].join(':');
  return {
    program: 'java',
    args: [
      `-Xmx${busy ? 2 * heapMb : heapMb}m`,
      '-XX:+UseSerialGC',
      ...(busy ? [] : ['-XX:TieredStopAtLevel=1']),
      ...options,
      '-cp',
      classPath,
      main,
      ...args,
    ],
  };
}
