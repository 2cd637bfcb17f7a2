/** The FHIR port over HTTP: any R4 server, the embedded one included. */
import { EngramError } from '@engram/errors';
import type { Fetch } from '@engram/http';
import type { Bundle, Resource, ResourceType } from '@medplum/fhirtypes';
import type { FhirClient, ResourceOf, SearchParams } from '../port.ts';
import { failureOf } from './failure.ts';

const FHIR_JSON = 'application/fhir+json';
const DEFAULT_LIMIT = 1000;
const PAGE = 100;

export interface OpenFhirOptions {
  /** Base URL such as `https://ehr.example/fhir/R4`. */
  readonly url: string;
  /** A guarded fetch that may reach the base. */
  readonly fetch: Fetch;
  readonly token?: string | undefined;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const queryOf = (params: SearchParams): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) for (const one of [value].flat()) query.append(name, one);
  return query.toString();
};

/**
 * @example
 * const fhir = openFhir({ url: 'http://127.0.0.1:8090/fhir', fetch: guardedFetch({ allow }) });
 * const studies = await fhir.search('ImagingStudy', { patient: 'Patient/1' });
 */
export function openFhir({ url, fetch, token }: OpenFhirOptions): FhirClient {
  const base = url.replace(/\/+$/, '');
  const origin = new URL(base).origin;

  async function send<T>({ method, path, body, headers = {} }: Request): Promise<T | undefined> {
    const address = path.startsWith('http') ? path : `${base}${path && `/${path}`}`;
    const response = await fetch(address, {
      method,
      headers: {
        accept: FHIR_JSON,
        'cache-control': 'no-cache',
        ...(body === undefined ? {} : { 'content-type': FHIR_JSON, prefer: 'return=representation' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status >= 400) throw failureOf(response.status, text, `${method} ${path.split(/[/?]/, 1)[0]}`);
    if (text === '') return undefined;
    try {
      // The server's answer: its type is what was asked for, and is read field by field where it matters.
      return JSON.parse(text) as T;
    } catch (error) {
      throw new EngramError('UPSTREAM_FAILED', 'the FHIR server answered with something other than JSON', {
        cause: error,
      });
    }
  }

  async function need<T>(request: Request): Promise<T> {
    const answer = await send<T>(request);
    if (answer !== undefined) return answer;
    throw new EngramError('UPSTREAM_FAILED', 'the FHIR server answered without a body');
  }

  /** `next` links may be relative, and must not lead a token to another server. */
  function nextOf(bundle: Bundle): string | undefined {
    const link = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    if (link === undefined) return undefined;
    const next = new URL(link, `${base}/`);
    if (next.origin === origin) return next.href;
    throw new EngramError('URL_REFUSED', 'the FHIR server named a next page on another host', { field: 'link' });
  }

  return {
    base,

    async read<K extends ResourceType>(type: K, id: string) {
      try {
        return await send<ResourceOf<K>>({ method: 'GET', path: `${type}/${encodeURIComponent(id)}` });
      } catch (error) {
        if (error instanceof EngramError && error.code === 'FHIR_NOT_FOUND') return undefined;
        throw error;
      }
    },

    async search<K extends ResourceType>(type: K, params: SearchParams, limit = DEFAULT_LIMIT) {
      const found = new Map<string, ResourceOf<K>>();
      const query = queryOf({ _count: String(Math.min(limit, PAGE)), ...params });
      let path: string | undefined = `${type}?${query}`;
      while (path !== undefined && found.size < limit) {
        const bundle: Bundle = await need<Bundle>({ method: 'GET', path });
        for (const { resource, search } of bundle.entry ?? []) {
          if (!resource?.id || resource.resourceType !== type || (search?.mode ?? 'match') !== 'match') continue;
          // A page boundary that moved meanwhile may show a resource twice.
          if (found.size < limit) found.set(resource.id, resource as ResourceOf<K>);
        }
        path = nextOf(bundle);
      }
      return [...found.values()];
    },

    searchBundle: (type, params) => need<Bundle>({ method: 'GET', path: `${type}?${queryOf(params)}` }),

    create: <R extends Resource>(resource: R, ifNoneExist?: string) =>
      need<R>({
        method: 'POST',
        path: resource.resourceType,
        body: resource,
        ...(ifNoneExist === undefined ? {} : { headers: { 'if-none-exist': ifNoneExist } }),
      }),

    update: <R extends Resource>(resource: R & { id: string }, { ifMatch }: { readonly ifMatch?: string } = {}) =>
      need<R>({
        method: 'PUT',
        path: `${resource.resourceType}/${encodeURIComponent(resource.id)}`,
        body: resource,
        ...(ifMatch === undefined ? {} : { headers: { 'if-match': `W/"${ifMatch}"` } }),
      }),

    updateWhere: <R extends Resource>(resource: R, query: string) =>
      need<R>({ method: 'PUT', path: `${resource.resourceType}?${query}`, body: resource }),

    transaction: (bundle) => need<Bundle>({ method: 'POST', path: '', body: bundle }),

    async remove(type, id) {
      try {
        await send({ method: 'DELETE', path: `${type}/${encodeURIComponent(id)}` });
      } catch (error) {
        // Second time does no harm.
        const gone = error instanceof EngramError && ['FHIR_NOT_FOUND', 'FHIR_GONE'].includes(error.code);
        if (!gone) throw error;
      }
    },

    capabilities: () => need({ method: 'GET', path: 'metadata' }),
  };
}
