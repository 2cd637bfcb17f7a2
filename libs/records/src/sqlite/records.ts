/** The SQLite adapter: one table a collection, the value as JSON, an index an expression, the outbox in the same row. */
import { checkName, pathsOf } from '../definition.ts';
import type { Collection, CollectionDefinition, OrderBy, Records, Waiting } from '../port.ts';
import { openCollection } from './collection.ts';
import { openDatabase } from './database.ts';
import { pathExpression } from './query.ts';

/** @throws CONFIG_INVALID when the URL is not a SQLite one. */
export function openSqliteRecords(url: string, now: () => number = Date.now): Records {
  const database = openDatabase(url);
  const opened = new Map<string, Collection<unknown>>();
  const listeners = new Set<(waiting: Waiting) => void>();
  const announce = (waiting: Waiting) => {
    for (const listener of listeners) listener(waiting);
  };
  database.exec(`CREATE TABLE IF NOT EXISTS engram_outbox_sequence (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
    INSERT OR IGNORE INTO engram_outbox_sequence VALUES (1, 0);`);

  function create<T>(definition: CollectionDefinition<T>): Collection<T> {
    const table = `"${checkName(definition.name)}"`;
    const index = (kind: string, name: string, expressions: string, where: string) =>
      `CREATE ${kind} IF NOT EXISTS "${definition.name}:${name}" ON ${table} (${expressions}) WHERE ${where};`;
    database.transaction(() => {
      database.exec(`CREATE TABLE IF NOT EXISTS ${table} (
        id TEXT PRIMARY KEY, revision INTEGER NOT NULL, value TEXT NOT NULL,
        lease_owner TEXT, lease_until INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL, expires_at INTEGER,
        pending TEXT, removed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;`);
      database.exec(index('INDEX', 'pending', 'id', 'pending IS NOT NULL'));
      database.exec(index('INDEX', 'expires', 'expires_at', 'expires_at IS NOT NULL'));
      for (const path of definition.indexes ?? []) {
        database.exec(index('INDEX', path, `${pathExpression(path)}, id`, 'removed = 0'));
      }
      for (const search of definition.ordered ?? []) {
        const expressions = [...search.where.map(pathExpression), orderText(search.orderBy)].join(', ');
        database.exec(index('INDEX', `ordered:${pathsOf(search).join(',')}`, expressions, 'removed = 0'));
      }
      for (const paths of definition.unique ?? []) {
        database.exec(
          index('UNIQUE INDEX', `unique:${paths.join(',')}`, paths.map(pathExpression).join(', '), 'removed = 0'),
        );
      }
    });
    return openCollection(database, definition, { now, announce });
  }

  return {
    collection<T>(definition: CollectionDefinition<T>): Collection<T> {
      const known = opened.get(definition.name);
      // One collection has one value type, by its definition: the map only forgets it.
      if (known) return known as Collection<T>;
      const collection = create(definition);
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
    async close() {
      database.close();
    },
  };
}

/** As a search orders: the id follows the last direction. */
function orderText(orderBy: OrderBy): string {
  const terms = orderBy.map(([path, direction]) => `${pathExpression(path)} ${direction}`);
  return [...terms, `id ${orderBy.at(-1)?.[1] ?? 'asc'}`].join(', ');
}
