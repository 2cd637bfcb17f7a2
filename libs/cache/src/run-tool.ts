import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EngramError } from '@engram/errors';

export interface ToolOptions {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 300_000;
const run = promisify(execFile);

/**
 * Runs a program to its end and returns its standard output.
 * @throws PACKAGE_UNAVAILABLE when it is not installed, fails or takes too long, with the first error that it printed.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  { cwd, env = {}, timeoutMs = TIMEOUT_MS }: ToolOptions,
): Promise<string> {
  try {
    const { stdout } = await run(program, args, {
      cwd,
      timeout: timeoutMs,
      maxBuffer: 64 << 20,
      env: { ...process.env, LC_ALL: 'C', ...env },
    });
    return stdout;
  } catch (cause) {
    throw new EngramError('PACKAGE_UNAVAILABLE', whatFailed(program, cause), { cause });
  }
}

function whatFailed(program: string, cause: unknown): string {
  if (!(cause instanceof Error)) return `${program} failed`;
  if ('code' in cause && cause.code === 'ENOENT') return `${program} is not installed here`;
  if ('killed' in cause && cause.killed === true) return `${program} took too long and was stopped`;
  // apt-get writes errors to standard error, Maven to standard output.
  const printed = ['stderr', 'stdout'].map((key) => String((cause as unknown as Record<string, unknown>)[key] ?? ''));
  const line = printed.join('\n').split('\n').find(isErrorLine);
  return line === undefined ? `${program} failed` : `${program} failed (${line.trim().slice(0, 200)})`;
}

const isErrorLine = (line: string): boolean =>
  /^([EW]:|\[ERROR\] \S|error:|fatal:|go: \S+: |\S+\.java:\d+: error)/.test(line);
