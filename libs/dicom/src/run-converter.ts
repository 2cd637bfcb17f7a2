/** Starts the converter's process and keeps it within its memory and its time. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { EngramError } from '@engram/errors';
import type { ConverterJob, ConverterReport } from './converter-protocol.ts';

export interface ConverterLimits {
  /** Resident memory of the process, in MiB. */
  readonly memoryMb: number;
  readonly timeoutMs: number;
}

export const CONVERTER_LIMITS: ConverterLimits = { memoryMb: 3072, timeoutMs: 300_000 };

const CHILD = fileURLToPath(new URL('./converter-child.ts', import.meta.url));
const WATCH_MS = 100;
const PAGE_BYTES = 4096;

/**
 * @throws DICOM_CONVERSION_LIMIT out of memory or time; DICOM_CONVERSION_FAILED when the process dies; what the process
 * refused, with its own code; the signal's reason when it is aborted.
 */
export async function runConverter(
  job: ConverterJob,
  options: { readonly limits?: Partial<ConverterLimits> | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ConverterReport> {
  const limits = { ...CONVERTER_LIMITS, ...options.limits };
  options.signal?.throwIfAborted();
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${Math.min(1024, limits.memoryMb)}`,
      '--permission',
      '--allow-fs-read=*',
      `--allow-fs-write=${job.folder}`,
      '--disable-warning=ExperimentalWarning',
      CHILD,
    ],
    // An empty environment: no secret of the service reaches the process that reads strangers' files.
    { stdio: ['pipe', 'pipe', 'ignore'], env: {} },
  );
  let failure: unknown;
  const end = (error: unknown) => {
    failure ??= error;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(
    () => end(new EngramError('DICOM_CONVERSION_LIMIT', `The conversion took longer than ${limits.timeoutMs} ms`)),
    limits.timeoutMs,
  );
  const watch = setInterval(() => {
    void residentBytes(child.pid).then((bytes) => {
      if (bytes > limits.memoryMb * 2 ** 20) {
        end(new EngramError('DICOM_CONVERSION_LIMIT', `The conversion needed more than ${limits.memoryMb} MiB`));
      }
    });
  }, WATCH_MS);
  const onAbort = () => end(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(job));
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (failure !== undefined) throw failure;
    if (code !== 0) throw new EngramError('DICOM_CONVERSION_FAILED', `The converter ended with ${code ?? 'a signal'}`);
    const report: ConverterReport = JSON.parse(Buffer.concat(output).toString('utf8'));
    if (report.error !== undefined) throw EngramError.fromJSON(report.error);
    return report;
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** 0 where the machine does not say (no /proc): the time limit and the heap ceiling still hold there. */
async function residentBytes(pid: number | undefined): Promise<number> {
  try {
    const fields = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
    return Number(fields[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
