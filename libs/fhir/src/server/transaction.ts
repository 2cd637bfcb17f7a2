/**
 * Batch and transaction bundles. A transaction is one synchronous step over the store: all of it or nothing, in R4's
 * order (DELETE, POST, PUT, GET), `urn:uuid` and conditional references resolved. Written here and not left to the
 * router, whose processor keeps what a failed transaction wrote and refuses more than 50 updates.
 * Source: FHIR R4, http.html#trules.
 */
import { randomUUID } from 'node:crypto';
import { badRequest, getStatus, normalizeOperationOutcome, OperationOutcomeError } from '@medplum/core';
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import type { RecordsRepository } from './repository.ts';
import { parse } from './search.ts';
import type { FhirStore, Stored } from './store.ts';

const ORDER = ['DELETE', 'POST', 'PUT', 'GET'] as const;

interface Step {
  readonly index: number;
  readonly entry: BundleEntry;
  readonly method: string;
  readonly type: string;
  readonly id: string | undefined;
  readonly query: string | undefined;
  /** Id that a creation will take: known beforehand, so that others can refer to it. */
  readonly assigned: string;
}

const refuse = (details: string, where: string): never => {
  throw new OperationOutcomeError(badRequest(details, where));
};

function stepOf(entry: BundleEntry, index: number): Step {
  const where = `Bundle.entry[${index}].request`;
  const { method, url } = entry.request ?? refuse('Missing request', where);
  const parts = /^\/?([A-Z][A-Za-z]+)(?:\/([A-Za-z0-9\-.]{1,64}))?(?:\?(.+))?$/.exec(url ?? '');
  if (!parts || !ORDER.some((known) => known === method)) return refuse('Unknown method or url', where);
  const [, type = '', id, query] = parts;
  return { index, entry, method: method ?? '', type, id, query, assigned: randomUUID() };
}

const queryOf = (text: string): Record<string, string[]> => {
  const params = new URLSearchParams(text);
  return Object.fromEntries([...params.keys()].map((name) => [name, params.getAll(name)]));
};

/** Puts every reference (and uri that names an entry) right. */
function rewrite(value: unknown, resolve: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, resolve));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rewrite(inner, resolve)]));
  }
  return typeof value === 'string' ? resolve(value) : value;
}

export function runBundle(store: FhirStore, repository: RecordsRepository, bundle: Bundle): Bundle {
  if (bundle.type !== 'batch' && bundle.type !== 'transaction')
    return refuse('Not a batch or transaction', 'Bundle.type');
  const all = bundle.entry ?? [];
  if (bundle.type === 'transaction') return { ...answer(bundle), entry: store.atomically(() => runAll(all)) };
  // A batch's entries stand each for itself.
  const entry = all.map((one, index): BundleEntry => {
    try {
      return store.atomically(() => runAll([one], index))[0] ?? {};
    } catch (error) {
      const outcome = normalizeOperationOutcome(error);
      return { response: { status: String(getStatus(outcome)), outcome } };
    }
  });
  return { ...answer(bundle), entry };

  function runAll(entries: readonly BundleEntry[], offset = 0): BundleEntry[] {
    const steps = entries.map((entry, i) => stepOf(entry, i + offset));
    const places = new Map<string, string>();
    for (const step of steps) {
      const place = placeOf(step);
      if (step.entry.fullUrl && place) places.set(step.entry.fullUrl, place);
      // One resource, one entry: the order of two writes would be chance.
      const twice =
        place &&
        step.method !== 'GET' &&
        steps.some((other) => other.index < step.index && other.method !== 'GET' && placeOf(other) === place);
      if (twice) refuse('Two entries change one resource', `Bundle.entry[${step.index}]`);
    }
    const resolve = (text: string): string => {
      const known = places.get(text);
      if (known) return known;
      const condition = /^([A-Z][A-Za-z]+)\?([a-z_-]+=.+)$/.exec(text);
      if (!condition) return text;
      const found = repository.one(parse(condition[1] ?? '', queryOf(condition[2] ?? '')));
      return found
        ? `${found.resourceType}/${found.id}`
        : refuse('A conditional reference matches nothing', 'Bundle.entry');
    };
    const results = new Map<number, BundleEntry>();
    for (const method of ORDER) {
      for (const step of steps.filter((one) => one.method === method)) {
        results.set(
          step.index,
          run(step, (resource) => rewriteReferences(resource, resolve)),
        );
      }
    }
    return steps.map(({ index }) => results.get(index) ?? {});
  }

  function placeOf({ method, type, id, query, assigned, entry }: Step): string | undefined {
    if (id) return `${type}/${id}`;
    const condition = method === 'POST' ? entry.request?.ifNoneExist : query;
    if (method === 'GET') return undefined;
    const found = condition ? repository.one(parse(type, queryOf(condition))) : undefined;
    if (method === 'DELETE') return found && `${type}/${found.id}`;
    return `${type}/${found?.id ?? (method === 'PUT' ? entry.resource?.id : undefined) ?? assigned}`;
  }

  function run(step: Step, references: (resource: Resource) => Resource): BundleEntry {
    const { method, type, id, query, assigned, entry } = step;
    const ifMatch = /"([^"]+)"/.exec(entry.request?.ifMatch ?? '')?.[1];
    if (method === 'DELETE') {
      if (id) repository.remove(type, id, ifMatch);
      else {
        const found = repository.one(parse(type, queryOf(query ?? '')));
        if (found) store.remove(found.resourceType, found.id);
      }
      return { response: { status: '204' } };
    }
    if (method === 'GET') {
      if (!id) return refuse('Search inside a bundle is not supported', `Bundle.entry[${step.index}].request`);
      const resource = repository.read(type, id);
      return { resource, response: { status: '200', etag: etagOf(resource) } };
    }
    if (!entry.resource || entry.resource.resourceType !== type) {
      return refuse('The resource is not of the type in the url', `Bundle.entry[${step.index}].resource`);
    }
    const resource = references(entry.resource);
    if (method === 'POST') {
      const condition = entry.request?.ifNoneExist;
      const done = condition
        ? repository.createUnless(resource, parse(type, queryOf(condition)), assigned)
        : { stored: repository.create(resource, assigned), created: true };
      return written(done);
    }
    if (id && resource.id !== id)
      return refuse('The id is not the one in the url', `Bundle.entry[${step.index}].resource.id`);
    if (id) return written(repository.update(resource, ifMatch));
    return written(repository.updateWhere(resource, parse(type, queryOf(query ?? '')), assigned, ifMatch));
  }
}

const answer = (bundle: Bundle): Bundle => ({
  resourceType: 'Bundle',
  type: bundle.type === 'batch' ? 'batch-response' : 'transaction-response',
});

const etagOf = ({ meta }: Stored): string => `W/"${meta?.versionId ?? ''}"`;

function written({ stored, created }: { readonly stored: Stored; readonly created: boolean }): BundleEntry {
  const version = stored.meta?.versionId ?? '';
  return {
    resource: stored,
    response: {
      status: created ? '201' : '200',
      location: `${stored.resourceType}/${stored.id}/_history/${version}`,
      etag: etagOf(stored),
      ...(stored.meta?.lastUpdated ? { lastModified: stored.meta.lastUpdated } : {}),
    },
  };
}

/** Only strings that name an entry or a condition change, so that a text that looks like one is safe: see `resolve`. */
function rewriteReferences(resource: Resource, resolve: (text: string) => string): Resource {
  return rewrite(resource, (text) =>
    text.startsWith('urn:') || /^[A-Z][A-Za-z]+\?/.test(text) || text.startsWith('http') ? resolve(text) : text,
  ) as Resource;
}
