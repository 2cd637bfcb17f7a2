/** Medplum's repository interface over our store: atomic, with tombstones, honest history and honest search. */
import { randomUUID } from 'node:crypto';
import {
  allOk,
  applyPatch,
  badRequest,
  created,
  deepClone,
  deepEquals,
  formatSearchQuery,
  gone,
  multipleMatches,
  notFound,
  type Operation,
  OperationOutcomeError,
  Operator,
  preconditionFailed,
  type SearchRequest,
  type WithId,
} from '@medplum/core';
import {
  type CreateResourceOptions,
  type DeleteResourceOptions,
  FhirRepository,
  getExtraEntries,
  type ReadHistoryOptions,
  type UpdateResourceOptions,
} from '@medplum/fhir-router';
import type { Bundle, BundleEntry, OperationOutcome, Parameters, Reference, Resource } from '@medplum/fhirtypes';
import { findAll } from './search.ts';
import type { FhirStore, Stored } from './store.ts';
import { checkResource } from './validate.ts';

const DEFAULT_COUNT = 50;
const MAX_COUNT = 1000;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;

const fail = (outcome: OperationOutcome): never => {
  throw new OperationOutcomeError(outcome);
};

/** A resource without what the server itself writes into it. */
const withoutServerMeta = (resource: Resource): Resource => {
  const { versionId: _v, lastUpdated: _l, ...meta } = resource.meta ?? {};
  const { meta: _m, ...rest } = resource;
  return { ...rest, ...(Object.keys(meta).length > 0 ? { meta } : {}) };
};

export class RecordsRepository extends FhirRepository {
  readonly #store: FhirStore;
  readonly #base: () => string;

  /** @param base the server's base URL, for links. */
  constructor(store: FhirStore, base: () => string) {
    super();
    this.#store = store;
    this.#base = base;
  }

  override setMode(): void {}

  override generateId(): string {
    return randomUUID();
  }

  // What the store keeps as `Resource` leaves as the type that the caller asked for: its resourceType says so.
  #as<T extends Resource>(stored: Resource): WithId<T> {
    return deepClone(stored) as WithId<T>;
  }

  create(resource: Resource, id: string): Stored {
    checkResource(resource);
    return this.#store.write({ ...resource, id });
  }

  update(resource: Resource, ifMatch?: string): { readonly stored: Stored; readonly created: boolean } {
    const { resourceType, id } = resource;
    if (!id || !ID.test(id)) return fail(badRequest('Missing or malformed id', 'id'));
    const before = this.#store.read(resourceType, id);
    if (ifMatch !== undefined && before?.meta?.versionId !== ifMatch) return fail(preconditionFailed);
    checkResource(resource);
    // Unchanged: no new version and no notification, else a client that re-sends would wake everyone.
    const same = before && deepEquals(withoutServerMeta(before), withoutServerMeta(resource));
    return { stored: same ? before : this.#store.write({ ...resource, id }), created: !before };
  }

  remove(type: string, id: string, ifMatch?: string): void {
    const before = this.#store.read(type, id);
    if (!before && !this.#store.wasDeleted(type, id)) fail(notFound);
    if (before && ifMatch !== undefined && before.meta?.versionId !== ifMatch) fail(preconditionFailed);
    this.#store.remove(type, id);
  }

  read(type: string, id: string): Stored {
    return this.#store.read(type, id) ?? fail(this.#store.wasDeleted(type, id) ? gone : notFound);
  }

  /** The one match of a condition. @throws 412 when several match. */
  one(request: SearchRequest): Stored | undefined {
    if (!request.filters?.length) return fail(badRequest('A condition needs at least one search parameter'));
    const found = findAll(this.#store, request);
    return found.length > 1 ? fail(multipleMatches) : found[0];
  }

  createUnless(
    resource: Resource,
    request: SearchRequest,
    id: string,
  ): { readonly stored: Stored; readonly created: boolean } {
    const found = this.one(request);
    return found ? { stored: found, created: false } : { stored: this.create(resource, id), created: true };
  }

  updateWhere(resource: Resource, request: SearchRequest, id: string, ifMatch?: string) {
    const found = this.one(request);
    if (found && resource.id && resource.id !== found.id) {
      return fail(badRequest('Resource ID did not match resolved ID', `${resource.resourceType}.id`));
    }
    return this.update({ ...resource, id: found?.id ?? resource.id ?? id }, ifMatch);
  }

  override async createResource<T extends Resource>(resource: T, options?: CreateResourceOptions): Promise<WithId<T>> {
    const id = options?.assignedId && resource.id ? resource.id : this.generateId();
    return this.#as<T>(this.create(resource, id));
  }

  override async updateResource<T extends Resource>(resource: T, options?: UpdateResourceOptions): Promise<WithId<T>> {
    return this.#as<T>(this.update(resource, options?.ifMatch).stored);
  }

  override async deleteResource(type: string, id: string, options?: DeleteResourceOptions): Promise<void> {
    this.remove(type, id, options?.ifMatch);
  }

  override async patchResource<T extends Resource>(
    resourceType: T['resourceType'],
    id: string,
    patch: Operation[] | Parameters,
    options?: UpdateResourceOptions,
  ): Promise<WithId<T>> {
    if (!Array.isArray(patch)) return fail(badRequest('Only JSON Patch is supported'));
    const patched = deepClone(this.read(resourceType, id));
    const errors = applyPatch(patched, patch).filter((error) => error !== null);
    if (errors.length > 0) return fail(badRequest(errors.map(({ message }) => message).join('; ')));
    return this.#as<T>(this.update(patched, options?.ifMatch).stored);
  }

  override async conditionalCreate<T extends Resource>(resource: T, search: SearchRequest<T>) {
    const result = this.createUnless(resource, search, this.generateId());
    return { resource: this.#as<T>(result.stored), outcome: result.created ? created : allOk };
  }

  override async conditionalUpdate<T extends Resource>(
    resource: T,
    search: SearchRequest,
    options?: UpdateResourceOptions,
  ) {
    const result = this.updateWhere(resource, search, this.generateId(), options?.ifMatch);
    return { resource: this.#as<T>(result.stored), outcome: result.created ? created : allOk };
  }

  override async conditionalDelete(search: SearchRequest): Promise<void> {
    const found = this.one(search);
    if (found) this.#store.remove(found.resourceType, found.id);
  }

  override async readResource<T extends Resource>(type: string, id: string): Promise<WithId<T>> {
    return this.#as<T>(this.read(type, id));
  }

  override async readReference<T extends Resource>(reference: Reference<T>): Promise<WithId<T>> {
    const [type, id, ...rest] = reference.reference?.split('/') ?? [];
    if (!type || !id || rest.length > 0) return fail(badRequest('Invalid reference'));
    return this.#as<T>(this.read(type, id));
  }

  override async readReferences<T extends Resource>(references: readonly Reference<T>[]): Promise<(T | Error)[]> {
    return Promise.all(
      references.map((reference) => this.readReference(reference).catch((error: unknown) => error as Error)),
    );
  }

  override async readVersion<T extends Resource>(type: string, id: string, versionId: string): Promise<WithId<T>> {
    const version = this.#store.versions(type, id).find((one) => one.versionId === versionId);
    if (!version) return fail(notFound);
    return version.resource ? this.#as<T>(version.resource) : fail(gone);
  }

  override async readHistory<T extends Resource>(type: string, id: string, options: ReadHistoryOptions = {}) {
    const versions = this.#store.versions(type, id);
    if (versions.length === 0) return fail(notFound);
    const { offset = 0, limit = MAX_COUNT } = options;
    const url = `${type}/${id}`;
    const entry = versions.slice(offset, offset + limit).map(({ versionId, at, resource }) => ({
      fullUrl: `${this.#base()}/${url}`,
      ...(resource ? { resource: this.#as<T>(resource) } : {}),
      request: {
        method: resource ? (versionId === '1' ? ('POST' as const) : ('PUT' as const)) : ('DELETE' as const),
        url,
      },
      response: {
        status: resource ? (versionId === '1' ? '201' : '200') : '204',
        etag: `W/"${versionId}"`,
        lastModified: at,
      },
    }));
    return { resourceType: 'Bundle' as const, type: 'history' as const, total: versions.length, entry };
  }

  override async search<T extends Resource>(request: SearchRequest<T>): Promise<Bundle<WithId<T>>> {
    if (request.types) return fail(badRequest('Search one type at a time', '_type'));
    if (request.cursor !== undefined) return fail(badRequest('Unknown search parameter: _cursor', '_cursor'));
    const found = findAll(this.#store, request as SearchRequest);
    const bundle = { resourceType: 'Bundle' as const, type: 'searchset' as const, total: found.length };
    // `_summary=count` arrives as a count of 0.
    if (request.count === 0) return bundle;
    const count = Math.min(request.count ?? DEFAULT_COUNT, MAX_COUNT);
    const offset = request.offset ?? 0;
    if (!(count > 0) || !(offset >= 0)) return fail(badRequest('_count and _offset are whole numbers', '_count'));
    const shown = found.slice(offset, offset + count);
    const fullUrl = (type: string, id: string) => `${this.#base()}/${type}/${id}`;
    const entry: BundleEntry<WithId<T>>[] = shown.map((resource) => ({
      fullUrl: fullUrl(resource.resourceType, resource.id),
      search: { mode: 'match' },
      resource: this.#as<T>(resource),
    }));
    if (request.include || request.revInclude) {
      const matched = entry.flatMap(({ resource }) => resource ?? []);
      await getExtraEntries(this, request, matched, entry as BundleEntry[], { fullUrl });
    }
    if (request.fields) for (const one of entry) subset(one, request.fields);
    const at = (from: number) =>
      `${this.#base()}/${request.resourceType}${formatSearchQuery({ ...request, count, offset: from } as SearchRequest)}`;
    const link = [{ relation: 'self' as const, url: at(offset) }];
    const next = offset + count < found.length ? [{ relation: 'next' as const, url: at(offset + count) }] : [];
    return { ...bundle, link: [...link, ...next], entry };
  }

  override async searchByReference<T extends Resource>(request: SearchRequest<T>, field: string, references: string[]) {
    const found: Record<string, WithId<T>[]> = {};
    for (const reference of references) {
      const filters = [...(request.filters ?? []), { code: field, operator: Operator.EQUALS, value: reference }];
      found[reference] = findAll(this.#store, { ...request, filters } as SearchRequest).map((r) => this.#as<T>(r));
    }
    return found;
  }

  /** Bundles do not come this way (transaction.ts); what does is one synchronous step and needs no more. */
  override async withTransaction<R>(callback: (repository: this) => Promise<R>): Promise<R> {
    return callback(this);
  }
}

/** `_elements`: only what was asked for, and marked as incomplete. */
function subset(entry: BundleEntry, fields: readonly string[]): void {
  const { resource } = entry;
  if (!resource) return;
  const kept = new Set(['resourceType', 'id', 'meta', ...fields]);
  const picked = Object.fromEntries(Object.entries(resource).filter(([name]) => kept.has(name))) as unknown as Resource;
  const tag = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
  entry.resource = { ...picked, meta: { ...resource.meta, tag: [...(resource.meta?.tag ?? []), tag] } };
}
