/**
 * Resources and their versions: in memory for reading, in SQLite for keeping. Everything here is synchronous, so one
 * transaction is one step for every reader, and what is rolled back on the disk is rolled back in memory too.
 */
import type { Database } from '@engram/records';
import type { WithId } from '@medplum/core';
import type { Resource } from '@medplum/fhirtypes';

export type Stored = WithId<Resource>;

export interface Change {
  readonly interaction: 'create' | 'update' | 'delete';
  /** As it is now; of a deletion, as it was. */
  readonly resource: Stored;
  readonly at: string;
  /** Of the write, so that what is told of it continues its trace. */
  readonly traceparent?: string;
}

export interface Version {
  readonly versionId: string;
  readonly at: string;
  /** Absent for a deletion. */
  readonly resource?: Stored;
}

export interface FhirStore {
  read(type: string, id: string): Stored | undefined;
  wasDeleted(type: string, id: string): boolean;
  /** All of a type, oldest change first. */
  all(type: string): Iterable<Stored>;
  /** Ids of the resources of any type that hold this reference anywhere: a superset of what a reference search matches. */
  holdersOf(reference: string): ReadonlySet<string>;
  /** Keys `Type/id` of the resources that carry an identifier of this value. */
  identifiedBy(value: string): ReadonlySet<string>;
  /** Newest first. */
  versions(type: string, id: string): readonly Version[];
  write(resource: Stored): Stored;
  remove(type: string, id: string): void;
  /** All or nothing; may be nested. */
  atomically<T>(work: () => T): T;
  /** Called within the transaction that changes. */
  onChange(listener: (change: Change) => void): void;
  count(type: string): number;
}

const NONE: ReadonlySet<string> = new Set();

/** Every `reference` string of a resource, however deep. */
function referencesIn(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, found);
  else if (value !== null && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'reference' && typeof inner === 'string') found.add(inner);
      else referencesIn(inner, found);
    }
  }
  return found;
}

function identifiersIn(resource: Resource): readonly string[] {
  const identifier: unknown = 'identifier' in resource ? resource.identifier : undefined;
  return [identifier].flat().flatMap((item: unknown) => {
    const value = item !== null && typeof item === 'object' && 'value' in item ? item.value : undefined;
    return typeof value === 'string' ? [value.toLowerCase()] : [];
  });
}

const keyOf = ({ resourceType, id }: Stored): string => `${resourceType}/${id}`;

export function openFhirStore(database: Database, now: () => Date = () => new Date()): FhirStore {
  database.exec(`
    CREATE TABLE IF NOT EXISTS fhir_versions (
      type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, json TEXT,
      PRIMARY KEY (type, id, version)) WITHOUT ROWID;`);
  const byType = new Map<string, Map<string, Stored>>();
  const deleted = new Map<string, number>();
  const references = new Map<string, Set<string>>();
  const identifiers = new Map<string, Set<string>>();
  const listeners: ((change: Change) => void)[] = [];
  let undo: (() => void)[] | undefined;

  const typeOf = (type: string): Map<string, Stored> => {
    const held = byType.get(type) ?? new Map<string, Stored>();
    byType.set(type, held);
    return held;
  };
  const post = (postings: Map<string, Set<string>>, name: string, key: string, add: boolean) => {
    const keys = postings.get(name) ?? new Set<string>();
    if (add) keys.add(key);
    else keys.delete(key);
    if (keys.size > 0) postings.set(name, keys);
    else postings.delete(name);
  };
  const index = (resource: Stored, add: boolean) => {
    for (const name of referencesIn(resource)) post(references, name, keyOf(resource), add);
    for (const name of identifiersIn(resource)) post(identifiers, name, keyOf(resource), add);
  };
  /** Puts (or takes away) the current version in memory; returns how to undo it. */
  function place(type: string, id: string, next: Stored | undefined): () => void {
    const held = typeOf(type);
    const before = held.get(id);
    if (before) index(before, false);
    // Deleted first, so that the map's order is the order of change.
    held.delete(id);
    if (next) {
      held.set(id, next);
      index(next, true);
    }
    return () => void place(type, id, before);
  }

  // Rows come in order of change, so that the maps are filled in that order too.
  const rows = database.all(`SELECT type, id, version, json FROM fhir_versions AS v WHERE version =
    (SELECT max(version) FROM fhir_versions WHERE type = v.type AND id = v.id) ORDER BY at, type, id`);
  for (const { type, id, version, json } of rows) {
    if (json === null) deleted.set(`${type}/${id}`, Number(version));
    else place(String(type), String(id), JSON.parse(String(json)) as Stored);
  }

  function append(type: string, id: string, version: number, at: string, next: Stored | undefined): void {
    database.run(
      'INSERT INTO fhir_versions (type, id, version, at, json) VALUES (?, ?, ?, ?, ?)',
      type,
      id,
      version,
      at,
      next === undefined ? null : JSON.stringify(next),
    );
    const key = `${type}/${id}`;
    const tomb = deleted.get(key);
    const restore = place(type, id, next);
    if (next) deleted.delete(key);
    else deleted.set(key, version);
    undo?.push(() => {
      restore();
      if (tomb === undefined) deleted.delete(key);
      else deleted.set(key, tomb);
    });
  }

  const store: FhirStore = {
    read: (type, id) => byType.get(type)?.get(id),
    wasDeleted: (type, id) => deleted.has(`${type}/${id}`),
    all: (type) => byType.get(type)?.values() ?? [],
    holdersOf: (reference) => references.get(reference) ?? NONE,
    identifiedBy: (value) => identifiers.get(value.toLowerCase()) ?? NONE,
    count: (type) => byType.get(type)?.size ?? 0,

    versions: (type, id) =>
      database
        .all('SELECT version, at, json FROM fhir_versions WHERE type = ? AND id = ? ORDER BY version DESC', type, id)
        .map(({ version, at, json }) => ({
          versionId: String(version),
          at: String(at),
          ...(json === null ? {} : { resource: JSON.parse(String(json)) as Stored }),
        })),

    write: (resource) =>
      store.atomically(() => {
        const { resourceType, id } = resource;
        const before = byType.get(resourceType)?.get(id);
        const last = Number(before?.meta?.versionId ?? deleted.get(`${resourceType}/${id}`) ?? 0);
        const at = now().toISOString();
        const { versionId: _v, lastUpdated: _l, ...meta } = resource.meta ?? {};
        const next: Stored = { ...resource, meta: { versionId: String(last + 1), lastUpdated: at, ...meta } };
        append(resourceType, id, last + 1, at, next);
        for (const listener of listeners) {
          listener({ interaction: before ? 'update' : 'create', resource: next, at });
        }
        return next;
      }),

    remove: (type, id) =>
      store.atomically(() => {
        const before = byType.get(type)?.get(id);
        if (!before) return;
        const at = now().toISOString();
        append(type, id, Number(before.meta?.versionId ?? 0) + 1, at, undefined);
        for (const listener of listeners) listener({ interaction: 'delete', resource: before, at });
      }),

    atomically<T>(work: () => T): T {
      if (undo) return work();
      undo = [];
      try {
        return database.transaction(work);
      } catch (error) {
        for (const step of undo.reverse()) step();
        throw error;
      } finally {
        undo = undefined;
      }
    },

    onChange: (listener) => void listeners.push(listener),
  };
  return store;
}
