/**
 * One SQLite file opened for several processes: write-ahead log, every commit on the disk before it is answered, and
 * SQLite's errors as coded ones. Shared with the embedded bus, which keeps its log the same way.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { EngramError } from '@engram/errors';

export type Row = Record<string, string | number | null>;

export interface Database {
  readonly file: string;
  exec(sql: string): void;
  all(sql: string, ...parameters: SQLInputValue[]): Row[];
  get(sql: string, ...parameters: SQLInputValue[]): Row | undefined;
  /** Returns how many rows changed. */
  run(sql: string, ...parameters: SQLInputValue[]): number;
  /** BEGIN IMMEDIATE … COMMIT; rolled back when `work` throws. `work` is synchronous: no other statement can slip in. Inside another it joins it. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** SQLite's result codes (sqlite.org/rescode.html): the two constraint codes we act on, and a full disk. */
const CONSTRAINT_PRIMARYKEY = 1555;
const CONSTRAINT_UNIQUE = 2067;
const FULL = 13;

export function isUniqueViolation(error: unknown): boolean {
  const code = resultCode(error);
  return code === CONSTRAINT_PRIMARYKEY || code === CONSTRAINT_UNIQUE;
}

function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}

function coded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (resultCode(error) === FULL) {
      throw new EngramError('DISK_FULL', 'no space is left for the record store', { cause: error });
    }
    throw error;
  }
}

const SYNCHRONOUS = new Set(['full', 'normal', 'off']);

/** `sqlite:///folder/file.db`, `sqlite:relative.db` or `sqlite::memory:`; `?synchronous=normal` trades power-cut safety. */
export function parseSqliteUrl(url: string): { readonly file: string; readonly synchronous: string } {
  const [location = '', query = ''] = url.replace(/^sqlite:/, '').split('?', 2);
  const file = decodeURIComponent(location.startsWith('//') ? location.slice(2) : location);
  const synchronous = new URLSearchParams(query).get('synchronous') ?? 'full';
  if (!url.startsWith('sqlite:') || file === '' || !SYNCHRONOUS.has(synchronous)) {
    throw new EngramError('CONFIG_INVALID', 'a SQLite URL reads sqlite:///folder/file.db or sqlite::memory:');
  }
  return { file, synchronous };
}

export function openDatabase(url: string): Database {
  const { file, synchronous } = parseSqliteUrl(url);
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  // Other processes hold the write lock for single statements only; 20 s covers a slow disk under load.
  const connection = new DatabaseSync(file, { timeout: 20_000 });
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON;`);
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const prepare = (sql: string) => {
    let statement = statements.get(sql);
    if (!statement) {
      statement = connection.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  let open = true;
  return {
    file,
    exec: (sql) => coded(() => connection.exec(sql)),
    all: (sql, ...parameters) => coded(() => prepare(sql).all(...parameters) as Row[]),
    get: (sql, ...parameters) => coded(() => prepare(sql).get(...parameters) as Row | undefined),
    run: (sql, ...parameters) => coded(() => Number(prepare(sql).run(...parameters).changes)),
    transaction(work) {
      if (connection.isTransaction) return work();
      return coded(() => {
        connection.exec('BEGIN IMMEDIATE');
        try {
          const result = work();
          connection.exec('COMMIT');
          return result;
        } catch (error) {
          // A full disk may already have rolled the transaction back.
          if (connection.isTransaction) connection.exec('ROLLBACK');
          throw error;
        }
      });
    },
    close() {
      if (!open) return;
      open = false;
      statements.clear();
      connection.close();
    },
  };
}
