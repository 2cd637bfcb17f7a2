/** One collection of the SQLite adapter. Every write is one statement or one short immediate transaction. */
import type { EngramEvent } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { encodeCursor } from '../cursor.ts';
import { searchablePaths } from '../definition.ts';
import { type PendingEvent, pendingEvents } from '../outbox.ts';
import { pageLimit } from '../page-limit.ts';
import type { Collection, CollectionDefinition, FindOptions, StoredRecord, Waiting, WriteOptions } from '../port.ts';
import { type Database, isUniqueViolation, type Row } from './database.ts';
import { afterSql, orderSql, whereSql } from './query.ts';

interface Environment {
  readonly now: () => number;
  readonly announce: (waiting: Waiting) => void;
}

export function openCollection<T>(
  database: Database,
  definition: CollectionDefinition<T>,
  { now, announce }: Environment,
): Collection<T> {
  const { name } = definition;
  const table = `"${name}"`;
  const allowed = searchablePaths(definition);
  const alive = 'removed = 0 AND (expires_at IS NULL OR expires_at > ?)';

  const read = (row: Row): StoredRecord<T> => ({
    id: String(row['id']),
    revision: Number(row['revision']),
    value: JSON.parse(String(row['value'])) as T,
    lease: row['lease_owner'] == null ? null : { owner: String(row['lease_owner']), until: Number(row['lease_until']) },
    createdAt: String(row['created_at']),
    updatedAt: String(row['updated_at']),
  });

  const held = (row: Row): readonly PendingEvent[] =>
    row['pending'] == null ? [] : JSON.parse(String(row['pending']));

  const select = (id: string): Row | undefined =>
    database.get(`SELECT * FROM ${table} WHERE id = ? AND ${alive}`, id, now());

  /** Inside a transaction: numbers the events, so that they leave in the order of their writes. */
  function pending(before: string | number | null | undefined, events: readonly EngramEvent[] | undefined) {
    if (!events || events.length === 0) return before ?? null;
    const row = database.get('UPDATE engram_outbox_sequence SET last = last + ? RETURNING last', events.length);
    const first = Number(row?.['last']) - events.length + 1;
    return JSON.stringify([...held({ pending: before ?? null }), ...pendingEvents(events, first)]);
  }

  function taken(error: unknown, id: string): never {
    if (isUniqueViolation(error)) {
      throw new EngramError('RECORD_EXISTS', `${name} already has a record with this id or unique value`, {
        field: id,
        cause: error,
      });
    }
    throw error;
  }

  function write(id: string, options: WriteOptions, work: () => Row | undefined): StoredRecord<T> {
    try {
      const row = database.transaction(work);
      if (!row) throw new EngramError('RECORD_CONFLICT', `a record of ${name} changed meanwhile`, { field: id });
      if (options.events?.length) announce({ collection: name, id, events: held(row).map(({ event }) => event) });
      return read(row);
    } catch (error) {
      return taken(error, id);
    }
  }

  function page(options: FindOptions) {
    const limit = pageLimit(options.limit);
    const where = whereSql(options.where, allowed);
    const order = orderSql(options.orderBy, allowed);
    const after = afterSql(options.cursor, order);
    return { limit, where, order, after };
  }

  return {
    name,

    async get(id) {
      const row = select(id);
      return row && read(row);
    },

    async insert(id, value, options = {}) {
      return write(id, options, () => {
        const instant = new Date(now()).toISOString();
        database.run(`DELETE FROM ${table} WHERE expires_at <= ? AND pending IS NULL`, now());
        // A removed or run-out record may still hold unpublished events: they stay in the row that takes its place.
        const tomb = database.get(
          `SELECT pending, revision FROM ${table} WHERE id = ? AND (removed = 1 OR expires_at <= ?)`,
          id,
          now(),
        );
        if (tomb) database.run(`DELETE FROM ${table} WHERE id = ?`, id);
        return database.get(
          `INSERT INTO ${table} (id, revision, value, created_at, updated_at, expires_at, pending)
           VALUES (?, 1, ?, ?, ?, ?, ?) RETURNING *`,
          id,
          JSON.stringify(value),
          instant,
          instant,
          options.expiresAt ?? null,
          pending(tomb?.['pending'], options.events),
        );
      });
    },

    async replace(id, revision, value, options = {}) {
      return write(id, options, () => {
        const before = select(id);
        if (!before || before['revision'] !== revision) return undefined;
        const expiresAt = options.expiresAt === undefined ? (before['expires_at'] ?? null) : options.expiresAt;
        return database.get(
          `UPDATE ${table} SET revision = revision + 1, value = ?, updated_at = ?, expires_at = ?, pending = ?
           WHERE id = ? RETURNING *`,
          JSON.stringify(value),
          new Date(now()).toISOString(),
          expiresAt,
          pending(before['pending'], options.events),
          id,
        );
      });
    },

    async remove(id, revision) {
      database.transaction(() => {
        const before = select(id);
        if (revision !== undefined && before?.['revision'] !== revision) {
          throw new EngramError('RECORD_CONFLICT', `a record of ${name} changed meanwhile`, { field: id });
        }
        if (!before) return;
        if (before['pending'] === null) database.run(`DELETE FROM ${table} WHERE id = ?`, id);
        else database.run(`UPDATE ${table} SET removed = 1, value = '{}', lease_owner = NULL WHERE id = ?`, id);
      });
    },

    async find(options = {}) {
      const { limit, where, order, after } = page(options);
      const keys = order.expressions.map((expression, i) => `${expression} AS sort_${i}`).join(', ');
      const rows = database.all(
        `SELECT *, ${keys} FROM ${table} WHERE ${alive} AND ${where.text} AND ${after.text}
         ORDER BY ${order.text} LIMIT ?`,
        now(),
        ...where.parameters,
        ...after.parameters,
        limit + 1,
      );
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      const next =
        rows.length > limit && last ? encodeCursor(order.expressions.map((_, i) => last[`sort_${i}`] ?? null)) : null;
      return { records: shown.map(read), next };
    },

    async count(where) {
      const { text, parameters } = whereSql(where, allowed);
      const row = database.get(`SELECT count(*) AS n FROM ${table} WHERE ${alive} AND ${text}`, now(), ...parameters);
      return Number(row?.['n'] ?? 0);
    },

    async claim({ owner, leaseMs, now: at = now(), ...options }) {
      const { where, order, after } = page(options);
      // One statement: SQLite's write lock makes the choice and the claim one step for every process.
      const row = database.get(
        `UPDATE ${table} SET lease_owner = ?, lease_until = ?, revision = revision + 1
         WHERE id = (SELECT id FROM ${table} WHERE ${alive} AND (lease_owner IS NULL OR lease_until <= ?)
                     AND ${where.text} AND ${after.text} ORDER BY ${order.text} LIMIT 1) RETURNING *`,
        owner,
        at + leaseMs,
        at,
        at,
        ...where.parameters,
        ...after.parameters,
      );
      return row && read(row);
    },

    async renew(id, owner, leaseMs, at = now()) {
      const changed = database.run(
        `UPDATE ${table} SET lease_until = ? WHERE id = ? AND lease_owner = ? AND removed = 0`,
        at + leaseMs,
        id,
        owner,
      );
      if (changed === 0) throw new EngramError('LEASE_LOST', `another owner holds a record of ${name}`, { field: id });
    },

    async release(id, owner) {
      database.run(
        `UPDATE ${table} SET lease_owner = NULL, lease_until = 0 WHERE id = ? AND lease_owner = ?`,
        id,
        owner,
      );
    },

    async pendingEvents(limit, idleMs = 0) {
      const rows = database.all(
        `SELECT t.id AS id, e.value AS item FROM ${table} AS t, json_each(t.pending) AS e
         WHERE t.pending IS NOT NULL ${idleMs > 0 ? 'AND t.updated_at <= ?' : ''}
         ORDER BY json_extract(e.value, '$.seq') LIMIT ?`,
        ...(idleMs > 0 ? [new Date(now() - idleMs).toISOString()] : []),
        limit,
      );
      return rows.map((row) => {
        const { event }: PendingEvent = JSON.parse(String(row['item']));
        return { id: String(row['id']), event };
      });
    },

    async markPublished(published) {
      const byRecord = Map.groupBy(published, (item) => item.id);
      if (byRecord.size === 0) return;
      database.transaction(() => {
        for (const [id, items] of byRecord) {
          const row = database.get(`SELECT pending, removed FROM ${table} WHERE id = ?`, id);
          if (row?.['pending'] == null) continue;
          const done = new Set(items.map((item) => item.eventId));
          const left = held(row).filter((item) => !done.has(item.event.id));
          if (left.length === 0 && row['removed'] === 1) database.run(`DELETE FROM ${table} WHERE id = ?`, id);
          else {
            const text = left.length === 0 ? null : JSON.stringify(left);
            database.run(`UPDATE ${table} SET pending = ? WHERE id = ?`, text, id);
          }
        }
      });
    },
  };
}
