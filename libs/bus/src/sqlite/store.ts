/** The queries of the embedded bus, one function each. Times are milliseconds since the epoch. */
import type { EngramEvent } from '@engram/contracts';
import type { EngramError } from '@engram/errors';
import type { Database, Row } from '@engram/records';
import { partitionOf } from '../partition.ts';
import type { DeadLetter, Lag } from '../port.ts';
import { SCHEMA } from './schema.ts';

export interface PartitionId {
  readonly group: string;
  readonly type: string;
  readonly partition: number;
}

/** What a reader holds while it may move a position. */
export interface Hold extends PartitionId {
  readonly owner: string;
  readonly epoch: number;
  readonly offset: number;
}

export interface LoggedEvent {
  readonly offset: number;
  /** Not yet checked against its contract. */
  readonly event: unknown;
  readonly publishedAt: number;
}

export interface Retry extends Omit<LoggedEvent, 'offset'> {
  readonly id: number;
  readonly partition: number;
  readonly attempt: number;
  readonly firstFailure: number | null;
}

/** Where a handled or failed delivery came from: the log, or a retry topic. */
export type Source = { readonly log: number } | { readonly retry: number };

export interface Failure {
  readonly event: unknown;
  readonly attempt: number;
  readonly publishedAt: number;
  readonly firstFailure: number;
  readonly now: number;
}

export type Store = ReturnType<typeof openStore>;

export function openStore(db: Database, partitionCount: number) {
  db.exec(SCHEMA);
  db.run("INSERT OR IGNORE INTO setting VALUES ('partitions', ?)", partitionCount);
  // The file's own count wins: a key must stay in its partition for as long as the log lives.
  const partitions = Number(db.get("SELECT value FROM setting WHERE name = 'partitions'")?.['value']);
  const where = 'grp = ? AND type = ? AND partition = ?';
  const at = ({ group, type, partition }: PartitionId) => [group, type, partition] as const;

  return {
    partitions,
    /** One commit, hence one wait for the disk, for several of the below. */
    atOnce: <T>(work: () => T): T => db.transaction(work),

    append(events: readonly EngramEvent[], now: number): void {
      db.transaction(() => {
        for (const event of events) {
          db.run(
            'INSERT INTO log (type, partition, event, published_at) VALUES (?, ?, ?, ?)',
            event.type,
            partitionOf(event.partitionkey, partitions),
            JSON.stringify(event),
            now,
          );
        }
      });
    },

    /** A new group starts at the oldest event. */
    register(group: string, type: string): void {
      db.transaction(() => {
        for (let partition = 0; partition < partitions; partition++) {
          db.run(
            'INSERT OR IGNORE INTO position (grp, type, partition, offset) VALUES (?, ?, ?, 0)',
            group,
            type,
            partition,
          );
        }
      });
    },

    /** Renews membership and leases, takes free partitions up to a fair share, gives back what is beyond it. */
    balance(group: string, type: string, owner: string, now: number, leaseMs: number): Hold[] {
      return db.transaction(() => {
        db.run('INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?)', group, type, owner, now + leaseMs);
        db.run('DELETE FROM member WHERE grp = ? AND type = ? AND until <= ?', group, type, now);
        const members = db.get('SELECT count(*) AS n FROM member WHERE grp = ? AND type = ?', group, type);
        const share = Math.ceil(partitions / Number(members?.['n'] ?? 1));
        db.run(
          'UPDATE position SET until = ? WHERE grp = ? AND type = ? AND owner = ?',
          now + leaseMs,
          group,
          type,
          owner,
        );
        const mine = db.all('SELECT * FROM position WHERE grp = ? AND type = ? AND owner = ?', group, type, owner);
        if (mine.length < share) {
          const free = db.all(
            `UPDATE position SET owner = ?, until = ? WHERE grp = ? AND type = ? AND partition IN (
               SELECT partition FROM position WHERE grp = ? AND type = ? AND (owner IS NULL OR until <= ?)
               ORDER BY partition LIMIT ?) RETURNING *`,
            owner,
            now + leaseMs,
            group,
            type,
            group,
            type,
            now,
            share - mine.length,
          );
          mine.push(...free);
        }
        return mine.map((row) => hold(row, owner));
      });
    },

    /** How many partitions `owner` should hold, for giving back the rest. */
    share(group: string, type: string): number {
      const members = db.get('SELECT count(*) AS n FROM member WHERE grp = ? AND type = ?', group, type);
      return Math.ceil(partitions / Math.max(1, Number(members?.['n'] ?? 1)));
    },

    release(id: PartitionId, owner: string): void {
      db.run(`UPDATE position SET owner = NULL, until = 0 WHERE ${where} AND owner = ?`, ...at(id), owner);
    },

    leave(group: string, type: string, owner: string): void {
      db.run('DELETE FROM member WHERE grp = ? AND type = ? AND id = ?', group, type, owner);
    },

    read(id: PartitionId, after: number, limit: number): LoggedEvent[] {
      const rows = db.all(
        'SELECT * FROM log WHERE type = ? AND partition = ? AND offset > ? ORDER BY offset LIMIT ?',
        id.type,
        id.partition,
        after,
        limit,
      );
      return rows.map((row) => ({
        offset: Number(row['offset']),
        event: JSON.parse(String(row['event'])),
        publishedAt: Number(row['published_at']),
      }));
    },

    dueRetries(group: string, type: string, partitions: readonly number[], now: number): Retry[] {
      const rows = db.all(
        `SELECT * FROM retry WHERE grp = ? AND type = ? AND due <= ?
           AND partition IN (SELECT value FROM json_each(?)) ORDER BY due, id LIMIT 64`,
        group,
        type,
        now,
        JSON.stringify(partitions),
      );
      return rows.map((row) => ({
        id: Number(row['id']),
        partition: Number(row['partition']),
        event: JSON.parse(String(row['event'])),
        attempt: Number(row['attempt']),
        publishedAt: Number(row['published_at']),
        firstFailure: row['first_failure'] === null ? null : Number(row['first_failure']),
      }));
    },

    /** @returns false when the partition is no longer held in this epoch: another reads it, or a replay moved it. */
    advance(hold: Hold, offset: number): boolean {
      const sql = `UPDATE position SET offset = ? WHERE ${where} AND owner = ? AND epoch = ? AND offset <= ?`;
      return db.run(sql, offset, ...at(hold), hold.owner, hold.epoch, offset) === 1;
    },

    doneRetry(id: number): void {
      db.run('DELETE FROM retry WHERE id = ?', id);
    },

    /** Sets an event aside until it is due. In the same write its retry row, if it has one, is replaced. */
    retryLater(id: PartitionId, source: Source, failure: Failure, due: number): void {
      db.transaction(() => {
        if ('retry' in source) db.run('DELETE FROM retry WHERE id = ?', source.retry);
        db.run(
          'INSERT INTO retry (grp, type, partition, event, attempt, due, published_at, first_failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          ...at(id),
          JSON.stringify(failure.event),
          failure.attempt + 1,
          due,
          failure.publishedAt,
          failure.firstFailure,
        );
      });
    },

    bury(id: PartitionId, source: Source, failure: Failure, cause: EngramError): void {
      db.transaction(() => {
        if ('retry' in source) db.run('DELETE FROM retry WHERE id = ?', source.retry);
        db.run(
          `INSERT INTO dead (grp, type, partition, event_id, event, attempts, published_at, first_failure, last_failure,
             code, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          ...at(id),
          eventId(failure.event),
          JSON.stringify(failure.event),
          failure.attempt,
          failure.publishedAt,
          failure.firstFailure,
          failure.now,
          cause.code,
          cause.message,
        );
      });
    },

    deadLetters(group: string): DeadLetter[] {
      return db.all('SELECT * FROM dead WHERE grp = ? ORDER BY id', group).map((row) => ({
        group,
        type: String(row['type']),
        event: JSON.parse(String(row['event'])),
        attempts: Number(row['attempts']),
        firstFailure: new Date(Number(row['first_failure'])).toISOString(),
        lastFailure: new Date(Number(row['last_failure'])).toISOString(),
        cause: { code: String(row['code']), message: String(row['message']) },
      }));
    },

    /** Dead letters become retries that are due now, with their attempts counted afresh. */
    redrive(group: string, eventIds: readonly string[] | undefined, now: number): number {
      return db.transaction(() => {
        const wanted = eventIds && new Set(eventIds);
        const rows = db.all('SELECT * FROM dead WHERE grp = ? ORDER BY id', group);
        const chosen = rows.filter((row) => !wanted || wanted.has(String(row['event_id'])));
        for (const row of chosen) {
          db.run(
            `INSERT INTO retry (grp, type, partition, event, attempt, due, published_at, first_failure)
             SELECT grp, type, partition, event, 1, ?, published_at, NULL FROM dead WHERE id = ?`,
            now,
            row['id'] ?? null,
          );
          db.run('DELETE FROM dead WHERE id = ?', row['id'] ?? null);
        }
        return chosen.length;
      });
    },

    replay(group: string, since: number): void {
      db.run(
        `UPDATE position SET epoch = epoch + 1, offset = min(offset, coalesce(
           (SELECT min(log.offset) - 1 FROM log
            WHERE log.type = position.type AND log.partition = position.partition AND log.published_at >= ?), offset))
         WHERE grp = ?`,
        since,
        group,
      );
    },

    lag(group: string, now: number): Lag {
      const row = db.get(
        `SELECT count(*) AS n, min(at) AS oldest FROM (
           SELECT log.published_at AS at FROM position JOIN log
             ON log.type = position.type AND log.partition = position.partition AND log.offset > position.offset
             WHERE position.grp = ?
           UNION ALL SELECT published_at FROM retry WHERE grp = ?)`,
        group,
        group,
      );
      const oldest = row?.['oldest'];
      const seconds = oldest == null ? 0 : Math.max(0, (now - Number(oldest)) / 1000);
      return { events: Number(row?.['n'] ?? 0), seconds };
    },

    /** Drops events older than `before` that every group has passed. */
    forget(before: number): number {
      return db.run(
        `DELETE FROM log WHERE published_at < ? AND NOT EXISTS (
           SELECT 1 FROM position WHERE position.type = log.type AND position.partition = log.partition
             AND position.offset < log.offset)`,
        before,
      );
    },

    /** Changes when another process has written to the file: cheap enough to ask several times a second. */
    dataVersion: (): number => Number(db.get('PRAGMA data_version')?.['data_version'] ?? 0),
  };
}

function hold(row: Row, owner: string): Hold {
  return {
    group: String(row['grp']),
    type: String(row['type']),
    partition: Number(row['partition']),
    owner,
    epoch: Number(row['epoch']),
    offset: Number(row['offset']),
  };
}

function eventId(event: unknown): string {
  return typeof event === 'object' && event !== null && 'id' in event ? String(event.id) : '';
}
