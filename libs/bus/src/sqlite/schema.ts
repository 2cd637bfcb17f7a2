/**
 * Tables of the embedded log, one file for all topics and groups.
 *
 * `log` is what was published, in order. `position` is where a group stands in each partition, with the lease of the one
 * process that reads it and an epoch that a replay raises, so that a reader with an old epoch cannot move it forward.
 * `retry` is a group's retry topics (an event set aside until it is due), `dead` its dead letters, `member` who is alive.
 */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS log (
  offset INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, partition INTEGER NOT NULL,
  event TEXT NOT NULL, published_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS log_by_partition ON log (type, partition, offset);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (
  grp TEXT NOT NULL, type TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0, owner TEXT, until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (grp, type, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member (
  grp TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (grp, type, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retry (
  id INTEGER PRIMARY KEY AUTOINCREMENT, grp TEXT NOT NULL, type TEXT NOT NULL, partition INTEGER NOT NULL,
  event TEXT NOT NULL, attempt INTEGER NOT NULL, due INTEGER NOT NULL, published_at INTEGER NOT NULL,
  first_failure INTEGER);
CREATE INDEX IF NOT EXISTS retry_due ON retry (grp, type, partition, due);
CREATE TABLE IF NOT EXISTS dead (
  id INTEGER PRIMARY KEY AUTOINCREMENT, grp TEXT NOT NULL, type TEXT NOT NULL, partition INTEGER NOT NULL,
  event_id TEXT NOT NULL, event TEXT NOT NULL, attempts INTEGER NOT NULL, published_at INTEGER NOT NULL,
  first_failure INTEGER NOT NULL, last_failure INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS dead_by_group ON dead (grp, id);
`;
