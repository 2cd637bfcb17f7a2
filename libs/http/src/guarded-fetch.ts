/**
 * Outgoing requests to allow-listed origins only. The address is resolved and judged in the very lookup that the
 * connection uses, so a name cannot point elsewhere between check and use. No redirect is followed.
 */
import { promises as dns, type LookupAddress, type LookupOptions } from 'node:dns';
import { EngramError, isEngramError } from '@engram/errors';
import { traceparent, withSpan } from '@engram/telemetry';
import { Agent, type BodyInit, fetch as undiciFetch } from 'undici';
import { type AllowList, allowedWebUrl } from './allow-list.ts';
import { isNeverAllowed } from './ip-address.ts';

export interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Whole request including the body. Overrides the guard's. */
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export type Fetch = (url: string, init?: FetchInit) => Promise<Response>;
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export interface GuardOptions {
  readonly allow: AllowList;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Largest response body. Default 64 MiB. */
  readonly maxBytes?: number;
  readonly resolve?: Resolve;
  /** PEM of a certificate authority that a hospital's own servers use. */
  readonly ca?: string | Buffer;
}

const resolveAll: Resolve = (host) => dns.lookup(host, { all: true });

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

function lookupThat(resolve: Resolve) {
  return (host: string, options: LookupOptions, done: LookupCallback): void => {
    resolve(host).then(
      (addresses) => {
        const first = addresses[0];
        if (!first || addresses.some(({ address }) => isNeverAllowed(address))) {
          done(new EngramError('URL_REFUSED', `${host} leads to an address that is never fetched from`), '');
        } else if (options.all) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), ''),
    );
  };
}

/** The coded error inside what fetch throws, else UPSTREAM_FAILED that names the host and no more. */
function failureOf(error: unknown, host: string, limitMs: number): EngramError {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isEngramError(at)) return at;
    if (at.name === 'TimeoutError') {
      const seconds = limitMs / 1000;
      return new EngramError('UPSTREAM_FAILED', `${host} did not answer within ${seconds} s`, { cause: error });
    }
  }
  return new EngramError('UPSTREAM_FAILED', `${host} cannot be reached`, { cause: error });
}

/** Fails the stream once it has brought more than `maxBytes`, whatever the header promised. */
function limited(body: ReadableStream<Uint8Array>, host: string, maxBytes: number, limitMs: number) {
  let bytes = 0;
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        bytes += value.byteLength;
        if (bytes > maxBytes) {
          await reader.cancel();
          throw new EngramError('FILE_TOO_LARGE', `${host} sent more than ${maxBytes} bytes`);
        }
        controller.enqueue(value);
      } catch (error) {
        controller.error(failureOf(error, host, limitMs));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/**
 * @returns a fetch whose calls reject with URL_REFUSED (not on the allow-list, a redirect, a forbidden address),
 * UPSTREAM_FAILED (unreachable, too slow) or FILE_TOO_LARGE. Statuses of 400 and more are the caller's to judge.
 * @example
 * const fetch = guardedFetch({ allow: parseAllowList(['https://pacs.example']) });
 * const response = await fetch('https://pacs.example/studies', { headers: { accept: 'application/dicom+json' } });
 */
export function guardedFetch(options: GuardOptions): Fetch {
  const { allow, resolve = resolveAll, ca } = options;
  const dispatcher = new Agent({
    connect: { lookup: lookupThat(resolve), timeout: 10_000, ...(ca === undefined ? {} : { ca }) },
    keepAliveTimeout: 4000,
  });
  return async (text, init = {}) => {
    const url = allowedWebUrl(text, allow);
    const limitMs = init.timeoutMs ?? options.timeoutMs ?? 30_000;
    const maxBytes = init.maxBytes ?? options.maxBytes ?? 64 * 1024 * 1024;
    const method = init.method ?? 'GET';
    const attributes = { 'http.request.method': method, 'server.address': url.hostname };
    const send = async () => {
      const parent = traceparent();
      const body: BodyInit | undefined = init.body;
      const response = await undiciFetch(url, {
        method,
        headers: { ...(parent ? { traceparent: parent } : {}), ...init.headers },
        ...(body === undefined ? {} : { body }),
        redirect: 'manual',
        dispatcher,
        signal: AbortSignal.any([AbortSignal.timeout(limitMs), ...(init.signal ? [init.signal] : [])]),
      }).catch((error: unknown) => {
        throw failureOf(error, url.host, limitMs);
      });
      if (response.status >= 300 && response.status < 400 && response.status !== 304) {
        await response.body?.cancel();
        throw new EngramError('URL_REFUSED', `${url.host} answered with a redirect, which is not followed`);
      }
      const stream = response.body && limited(response.body, url.host, maxBytes, limitMs);
      const bodiless = response.status === 204 || response.status === 304;
      return new Response(bodiless ? null : stream, {
        status: response.status,
        headers: [...response.headers],
      });
    };
    return withSpan(`HTTP ${method}`, attributes, send, { kind: 'client' });
  };
}
