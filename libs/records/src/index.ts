/**
 * Documents by id, one collection a kind, with optimistic locking, leases, expiry and an outbox in the same write.
 *
 * @example
 * const records = await openRecords('sqlite::memory:');
 * const runs = records.collection<Run>({ name: 'preprocessing.runs', indexes: ['status'] });
 * await runs.insert('r-1', run, { events: [event] });
 * @module
 */
export { modify } from './modify.ts';
export { openRecords } from './open.ts';
export type * from './port.ts';
export { type Database, openDatabase, type Row } from './sqlite/database.ts';
