/** Trying again while a broker is away, and saying so once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngramError } from '@engram/errors';
import { errorType, type Logger } from '@engram/telemetry';

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

export interface Patience {
  /** Gives up after this, counted from the call. */
  readonly patienceMs?: number;
  /** Asked before each further try. */
  readonly stopped?: () => boolean;
  readonly onError?: (error: unknown) => void;
}

/** Tries until it succeeds, with growing waits. @throws what the last try threw. */
export async function patiently<T>(work: () => Promise<T>, patience: Patience = {}): Promise<T> {
  const { patienceMs = Number.POSITIVE_INFINITY, stopped = () => false, onError } = patience;
  const until = performance.now() + patienceMs;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await work();
    } catch (error) {
      // A wrong setting stays wrong.
      if (error instanceof EngramError && !error.retryable) throw error;
      onError?.(error);
      if (stopped() || performance.now() + wait > until) throw error;
      await sleep(wait);
      if (stopped()) throw error;
    }
  }
}

/** What the cluster or its client threw, as an error that a retry may help. An EngramError stays as it is. */
export function upstreamFailed(what: string, cause: unknown): EngramError {
  if (cause instanceof EngramError) return cause;
  return new EngramError('UPSTREAM_FAILED', `${what}: ${reasonOf(cause)}`, { cause });
}

/** The message that says most: of several errors in one, the first one's. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

export interface Outage {
  failed(error: unknown): void;
  fine(): void;
}

/** Logs the first failure of a series and its end, not each. */
export function outage(logger: Logger, what: string, fields: Readonly<Record<string, unknown>> = {}): Outage {
  let since: number | undefined;
  return {
    failed(error) {
      if (since !== undefined) return;
      since = Date.now();
      logger.warn(`${what}; it will be tried again`, { ...fields, err: error, error: errorType(error) });
    },
    fine() {
      if (since === undefined) return;
      logger.info(`over: ${what}`, { ...fields, seconds: (Date.now() - since) / 1000 });
      since = undefined;
    },
  };
}
