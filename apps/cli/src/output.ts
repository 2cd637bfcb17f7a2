/**
 * How every command speaks: results on stdout, progress and errors on stderr; under `--json` exactly one JSON object on
 * stdout. A failure is one plain line (or one `{"error":…}`) and exit status 1; never a stack trace.
 */
import { asEngramError, catalogue, type EngramError } from '@engram/errors';

export interface JsonOption {
  readonly json?: boolean | undefined;
}

/** Runs a command's body; prints what it returns under `--json`; turns what it throws into one line and exit status 1. */
export async function speak(options: JsonOption, body: () => Promise<unknown>): Promise<void> {
  try {
    const result = await body();
    if (options.json && result !== undefined) process.stdout.write(`${JSON.stringify(result)}\n`);
  } catch (thrown) {
    const error = asEngramError(fromSystem(thrown));
    if (options.json) process.stdout.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
    process.stderr.write(`engram: ${plainLine(error)}\n`);
    if (process.env['ENGRAM_DEBUG']) process.stderr.write(`${error.stack ?? ''}\n${String(error.cause ?? '')}\n`);
    process.exitCode = 1;
  }
}

/** `message (CODE: what to do)`, on one line. */
export function plainLine(error: EngramError): string {
  return `${error.message} (${error.code}: ${catalogue[error.code].action})`.replaceAll(/\s*\n\s*/g, ' ');
}

/** The errors of the operating system that a user can mend get our codes. */
function fromSystem(thrown: unknown): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (code === 'ENOSPC') return asEngramError(new Error('the disk is full', { cause: thrown }), 'DISK_FULL');
  if (code === 'EADDRINUSE') return asEngramError(new Error(`the port is taken: ${message}`), 'PORT_TAKEN');
  if (code === 'ENOENT')
    return asEngramError(new Error(`no such file or folder: ${message.replace(/^ENOENT[^']*/, '')}`), 'FILE_NOT_FOUND');
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return asEngramError(
      new Error('a file lies where a folder is needed: choose another --out', { cause: thrown }),
      'REQUEST_INVALID',
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return asEngramError(new Error('no permission to write there', { cause: thrown }), 'REQUEST_INVALID');
  return thrown;
}

/** Live progress on stderr: one line rewritten on a terminal, one line a message elsewhere. */
export interface Progress {
  update(text: string): void;
  /** A line that stays. */
  say(text: string): void;
  done(): void;
}

export function progressOn(stream: NodeJS.WriteStream = process.stderr): Progress {
  let open = false;
  let last = '';
  const clear = () => {
    if (open) stream.write('\r\u001b[2K');
    open = false;
  };
  return {
    update(text) {
      if (text === last) return;
      last = text;
      if (stream.isTTY) {
        clear();
        stream.write(text.slice(0, Math.max(20, (stream.columns ?? 100) - 1)));
        open = true;
      } else stream.write(`${text}\n`);
    },
    say(text) {
      clear();
      stream.write(`${text}\n`);
    },
    done: clear,
  };
}

/** `63` → `1 min 3 s`: for people, never for machines. */
export function forPeople(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
