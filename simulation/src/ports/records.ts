/** The records port in memory: what is committed outlives every process; each process opens its own view of it. */
import { createHash } from 'node:crypto';
import type { EngramEvent } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type {
  Collection,
  CollectionDefinition,
  Condition,
  FindOptions,
  Records,
  Scalar,
  StoredRecord,
  Waiting,
  Where,
  WriteOptions,
} from '@engram/records';
import type { Invoke } from '../life.ts';

interface Pending {
  readonly seq: number;
  readonly event: EngramEvent;
}

interface Row {
  readonly id: string;
  revision: number;
  value: unknown;
  lease: { owner: string; until: number } | null;
  createdAt: string;
  updatedAt: string;
  expiresAt: number | null;
  pending: Pending[];
  removed: boolean;
}

/** All collections of all services: what a database server holds. */
export class RecordsState {
  readonly tables = new Map<string, Map<string, Row>>();
  /** Every event that a write made true. */
  readonly acknowledged: EngramEvent[] = [];
  readonly now: () => number;
  #sequence = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  table(name: string): Map<string, Row> {
    const table = this.tables.get(name) ?? new Map<string, Row>();
    this.tables.set(name, table);
    return table;
  }

  /** The values of a collection as they stand. */
  values<T>(name: string): readonly T[] {
    return [...this.table(name).values()].filter((row) => this.isThere(row)).map((row) => row.value as T);
  }

  unpublished(): number {
    return [...this.tables.values()].flatMap((table) => [...table.values()]).flatMap((row) => row.pending).length;
  }

  isThere(row: Row): boolean {
    return !row.removed && (row.expiresAt === null || row.expiresAt > this.now());
  }

  pend(events: readonly EngramEvent[] = []): Pending[] {
    this.acknowledged.push(...events);
    return events.map((event) => ({ seq: ++this.#sequence, event }));
  }
}

const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

function at(value: unknown, path: string): Scalar {
  const found = path
    .split('.')
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | null | undefined)?.[name], value);
  return (found ?? null) as Scalar;
}

function meets(value: Scalar, wanted: Condition): boolean {
  if (wanted === null || typeof wanted !== 'object') return value === wanted;
  if ('in' in wanted) return wanted.in.includes(value);
  if (value === null) return Object.keys(wanted).length === 0;
  const { gte, gt, lte, lt } = wanted;
  return (
    (gte === undefined || value >= gte) &&
    (gt === undefined || value > gt) &&
    (lte === undefined || value <= lte) &&
    (lt === undefined || value < lt)
  );
}

/** Absent values first, as the port asks for. */
function compare(a: Scalar, b: Scalar): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

export interface RecordsView extends Records {
  /** A write of this process carried events: the relay need not wait for its next look. */
  onEvents(listener: (waiting: Waiting) => void): () => void;
}

export function openMemoryRecords(state: RecordsState, invoke: Invoke): RecordsView {
  const opened = new Map<string, Collection<unknown>>();
  const listeners = new Set<(waiting: Waiting) => void>();
  const announce = (waiting: Waiting): void => {
    for (const listener of listeners) listener(waiting);
  };
  return {
    collection<T>(definition: CollectionDefinition<T>): Collection<T> {
      const known = opened.get(definition.name);
      if (known) return known as Collection<T>;
      const collection = openCollection(state, definition, invoke, announce);
      opened.set(definition.name, collection as Collection<unknown>);
      return collection;
    },
    get collections() {
      return [...opened.values()];
    },
    onEvents(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {},
  };
}

function openCollection<T>(
  state: RecordsState,
  definition: CollectionDefinition<T>,
  invoke: Invoke,
  announce: (waiting: Waiting) => void,
): Collection<T> {
  const { name, unique = [], indexes = [], ordered = [] } = definition;
  const rows = state.table(name);
  const named = ordered.flatMap(({ where, orderBy }) => [...where, ...orderBy.map(([path]) => path)]);
  const searchable = new Set([...indexes, ...named, ...unique.flat()]);
  const call = <R>(verb: string, id: string, work: () => R): Promise<R> =>
    invoke(`records ${verb} ${name} ${id}`, work);

  const read = (row: Row): StoredRecord<T> => ({
    id: row.id,
    revision: row.revision,
    value: row.value as T,
    lease: row.lease && { ...row.lease },
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  });
  const find = (id: string): Row | undefined => {
    const row = rows.get(id);
    return row && state.isThere(row) ? row : undefined;
  };
  const conflict = (id: string) =>
    new EngramError('RECORD_CONFLICT', `a record of ${name} changed meanwhile`, { field: id });

  function checkUnique(id: string, value: unknown): void {
    for (const paths of unique) {
      const wanted = paths.map((path) => at(value, path));
      if (wanted.includes(null)) continue;
      for (const row of rows.values()) {
        const isTaken =
          row.id !== id && state.isThere(row) && paths.every((path, i) => at(row.value, path) === wanted[i]);
        if (isTaken) throw new EngramError('RECORD_EXISTS', `${name} already has this unique value`, { field: id });
      }
    }
  }

  function path(text: string): string {
    if (searchable.has(text)) return text;
    throw new EngramError('RECORD_PATH_UNKNOWN', `${text} is not an index of this collection`, { field: text });
  }

  function matching({
    where = {},
    orderBy = [],
    cursor,
  }: FindOptions): { readonly row: Row; readonly keys: Scalar[] }[] {
    const conditions = Object.entries(where).map(([name, wanted]) => [path(name), wanted] as const);
    const order = orderBy.map(([name, direction]) => [path(name), direction === 'asc' ? 1 : -1] as const);
    const signs = [...order.map(([, sign]) => sign), order.at(-1)?.[1] ?? 1];
    const compareKeys = (a: readonly Scalar[], b: readonly Scalar[]): number => {
      for (const [i, sign] of signs.entries()) {
        const result = compare(a[i] ?? null, b[i] ?? null);
        if (result !== 0) return sign * result;
      }
      return 0;
    };
    const after = cursor === undefined ? undefined : decode(cursor, signs.length);
    return [...rows.values()]
      .filter((row) => state.isThere(row) && conditions.every(([name, wanted]) => meets(at(row.value, name), wanted)))
      .map((row) => ({ row, keys: [...order.map(([name]) => at(row.value, name)), row.id] }))
      .filter(({ keys }) => after === undefined || compareKeys(keys, after) > 0)
      .sort((a, b) => compareKeys(a.keys, b.keys));
  }

  function written(row: Row, options: WriteOptions): StoredRecord<T> {
    rows.set(row.id, row);
    const { id, pending } = row;
    if (options.events?.length) announce({ collection: name, id, events: pending.map(({ event }) => event) });
    return read(row);
  }

  return {
    name,
    get: (id) => call('get', id, () => (find(id) ? read(find(id) as Row) : undefined)),

    insert: (id, value, options = {}) =>
      call('insert', id, () => {
        if (find(id)) throw new EngramError('RECORD_EXISTS', `${name} already has this id`, { field: id });
        const held = rows.get(id)?.pending ?? [];
        const stored = copied(value);
        checkUnique(id, stored);
        const instant = new Date(state.now()).toISOString();
        const row: Row = {
          id,
          revision: 1,
          value: stored,
          lease: null,
          createdAt: instant,
          updatedAt: instant,
          expiresAt: options.expiresAt ?? null,
          pending: [...held, ...state.pend(options.events)],
          removed: false,
        };
        return written(row, options);
      }),

    replace: (id, revision, value, options = {}) =>
      call('replace', id, () => {
        const row = find(id);
        if (!row || row.revision !== revision) throw conflict(id);
        const stored = copied(value);
        checkUnique(id, stored);
        const next: Row = {
          ...row,
          revision: revision + 1,
          value: stored,
          updatedAt: new Date(state.now()).toISOString(),
          expiresAt: options.expiresAt === undefined ? row.expiresAt : options.expiresAt,
          pending: [...row.pending, ...state.pend(options.events)],
        };
        return written(next, options);
      }),

    remove: (id, revision) =>
      call('remove', id, () => {
        const row = find(id);
        if (revision !== undefined && row?.revision !== revision) throw conflict(id);
        if (!row) return;
        if (row.pending.length === 0) rows.delete(id);
        else row.removed = true;
      }),

    find: (options = {}) =>
      call('find', '', () => {
        const found = matching(options);
        const limit = Math.min(1000, Math.max(1, options.limit ?? 100));
        const shown = found.slice(0, limit);
        const last = shown.at(-1);
        return {
          records: shown.map(({ row }) => read(row)),
          next: found.length > limit && last ? encode(last.keys) : null,
        };
      }),

    count: (where?: Where) => call('count', '', () => matching(where ? { where } : {}).length),

    claim: ({ owner, leaseMs, now = state.now(), ...options }) =>
      call('claim', '', () => {
        const row = matching(options).find(({ row: { lease } }) => lease === null || lease.until <= now)?.row;
        if (!row) return undefined;
        row.lease = { owner, until: now + leaseMs };
        row.revision++;
        return read(row);
      }),

    renew: (id, owner, leaseMs, now = state.now()) =>
      call('renew', id, () => {
        const row = rows.get(id);
        if (row?.lease?.owner !== owner || row.removed) {
          throw new EngramError('LEASE_LOST', `another owner holds a record of ${name}`, { field: id });
        }
        row.lease = { owner, until: now + leaseMs };
      }),

    release: (id, owner) =>
      call('release', id, () => {
        const row = rows.get(id);
        if (row?.lease?.owner === owner) row.lease = null;
      }),

    pendingEvents: (limit, idleMs = 0) =>
      call('pendingEvents', '', () =>
        [...rows.values()]
          .filter(({ updatedAt }) => idleMs === 0 || Date.parse(updatedAt) <= state.now() - idleMs)
          .flatMap((row) => row.pending.map((item) => ({ ...item, id: row.id })))
          .sort((a, b) => a.seq - b.seq)
          .slice(0, limit)
          .map(({ id, event }) => ({ id, event })),
      ),

    markPublished: (published) =>
      call('markPublished', String(published.length), () => {
        for (const { id, eventId } of published) {
          const row = rows.get(id);
          if (!row) continue;
          row.pending = row.pending.filter(({ event }) => event.id !== eventId);
          if (row.removed && row.pending.length === 0) rows.delete(id);
        }
      }),
  };
}

const checkOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

function encode(keys: readonly Scalar[]): string {
  const text = JSON.stringify(keys);
  return Buffer.from(`${checkOf(text)}${text}`).toString('base64url');
}

function decode(cursor: string, length: number): readonly Scalar[] {
  const text = Buffer.from(cursor, 'base64url').toString();
  const keys: unknown = checkOf(text.slice(8)) === text.slice(0, 8) ? JSON.parse(text.slice(8)) : undefined;
  if (Array.isArray(keys) && keys.length === length) return keys;
  throw new EngramError('REQUEST_INVALID', 'the cursor is not one that this search returned', { field: 'cursor' });
}
