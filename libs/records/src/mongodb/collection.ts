/**
 * One collection of the MongoDB adapter. Every promise of the port rests on one write to one document: a record, its lock, its
 * lease, its unique tuples and the events that have not left are the same document (docs/decisions/0008-one-document-a-record.md).
 */
import type { EngramEvent } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { Model } from 'mongoose';
import { encodeCursor } from '../cursor.ts';
import { searchablePaths } from '../definition.ts';
import { pendingEvents } from '../outbox.ts';
import { pageLimit } from '../page-limit.ts';
import type { Collection, CollectionDefinition, FindOptions, Scalar, StoredRecord, Waiting } from '../port.ts';
import { eventOf, type RecordDocument, recordOf, tuplesOf } from './document.ts';
import { failureOf, isDuplicate } from './failure.ts';
import { toDocument } from './field-names.ts';
import { afterFilter, type Filter, type Order, orderOf, whereFilter } from './query.ts';
import type { Sequence } from './sequence.ts';

export interface Environment {
  readonly model: Model<RecordDocument>;
  readonly sequence: Sequence;
  readonly now: () => number;
  readonly announce: (waiting: Waiting) => void;
  /** Settles once indexes stand. */
  readonly ready: () => Promise<void>;
}

const AFTER = { returnDocument: 'after', lean: true } as const;
const NO_EVENTS = { pending: { $size: 0 } };
const MARKED = { removed: 1 } as const;
/** How often records that have run out are cleared away in passing. */
const PURGE_MS = 60_000;

const alive = (at: number): Filter => ({
  removed: false,
  $or: [{ expiresAt: null }, { expiresAt: { $gt: at } }],
});
const gone = (at: number): Filter => ({ $or: [{ removed: true }, { expiresAt: { $lte: at } }] });
const free = (at: number): Filter => ({ $or: [{ lease: null }, { 'lease.until': { $lte: at } }] });

export function openCollection<T>(definition: CollectionDefinition<T>, environment: Environment): Collection<T> {
  const { model, sequence, now, announce, ready } = environment;
  const { name } = definition;
  const allowed = searchablePaths(definition);
  let purgedAt = 0;

  async function asked<R>(work: () => Promise<R>): Promise<R> {
    try {
      await ready();
      return await work();
    } catch (error) {
      throw failureOf(error);
    }
  }

  const conflict = (id: string) =>
    new EngramError('RECORD_CONFLICT', `a record of ${name} changed meanwhile`, { field: id });
  const taken = (id: string) =>
    new EngramError('RECORD_EXISTS', `${name} already has a record with this id or unique value`, { field: id });

  async function pendingOf(events: readonly EngramEvent[] = []): Promise<RecordDocument['pending']> {
    if (events.length === 0) return [];
    const first = await sequence.take(events.length);
    return pendingEvents(events, first).map(({ seq, event }) => ({ seq, id: event.id, event: toDocument(event) }));
  }

  const content = (value: T) => ({
    value: toDocument(value),
    unique: tuplesOf(definition, value),
    updatedAt: new Date(now()).toISOString(),
  });

  /** Clears away what has run out; what still holds events gives up its place and stays for them. */
  async function purge(): Promise<boolean> {
    const at = now();
    purgedAt = at;
    const ended = await model.deleteMany({ expiresAt: { $lte: at }, ...NO_EVENTS });
    const kept = await model.updateMany({ removed: false, expiresAt: { $lte: at } }, { $set: tomb() });
    return ended.deletedCount + kept.modifiedCount > 0;
  }

  /** Run out as well, so that the index of expiry finds what a stop leaves behind. */
  const tomb = () => ({ removed: true, value: {}, unique: {}, lease: null, expiresAt: now() });

  /** A write that meets a taken id or tuple is tried once more when its holder turns out to have run out. */
  async function unlessTaken(id: string, work: () => Promise<RecordDocument | null>): Promise<RecordDocument | null> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        const freed = await purge();
        if (attempt === 2 || !freed) throw taken(id);
      }
    }
  }

  async function written(
    events: readonly EngramEvent[] | undefined,
    document: RecordDocument,
  ): Promise<StoredRecord<T>> {
    const { _id: id, pending } = document;
    if (events?.length) announce({ collection: name, id, events: pending.map((item) => eventOf(item.event)) });
    return recordOf<T>(document);
  }

  function search({ where, orderBy, cursor, limit }: FindOptions, at: number) {
    const order = orderOf(orderBy, allowed);
    const filter = { $and: [alive(at), whereFilter(where, allowed), afterFilter(cursor, order)] };
    return { order, filter, sort: Object.fromEntries(order), limit: pageLimit(limit) };
  }

  return {
    name,

    get: (id) =>
      asked(async () => {
        const document = await model.findOne({ _id: id, ...alive(now()) }).lean<RecordDocument>();
        return document ? recordOf<T>(document) : undefined;
      }),

    insert: (id, value, { events, expiresAt = null } = {}) =>
      asked(async () => {
        if (now() - purgedAt > PURGE_MS) await purge();
        const pending = await pendingOf(events);
        const body = content(value);
        const fresh = { ...body, revision: 1, lease: null, createdAt: body.updatedAt, expiresAt, removed: false };
        // In the place of one that is gone, whose events wait on, or as a new one: a living one of this id makes it a duplicate.
        const update = { $set: fresh, $push: { pending: { $each: pending } } };
        const document = await unlessTaken(id, () =>
          model.findOneAndUpdate({ _id: id, ...gone(now()) }, update, { ...AFTER, upsert: true }),
        );
        if (!document) throw taken(id);
        return written(events, document);
      }),

    replace: (id, revision, value, { events, expiresAt } = {}) =>
      asked(async () => {
        const $set = { ...content(value), ...(expiresAt === undefined ? {} : { expiresAt }) };
        const $push = { pending: { $each: await pendingOf(events) } };
        const document = await unlessTaken(id, () =>
          model.findOneAndUpdate({ _id: id, revision, ...alive(now()) }, { $set, $push, $inc: { revision: 1 } }, AFTER),
        );
        if (!document) throw conflict(id);
        return written(events, document);
      }),

    remove: (id, revision) =>
      asked(async () => {
        const current = { _id: id, ...alive(now()), ...(revision === undefined ? {} : { revision }) };
        const { deletedCount } = await model.deleteOne({ ...current, ...NO_EVENTS });
        if (deletedCount === 1) return;
        const { matchedCount } = await model.updateOne(current, { $set: tomb() });
        if (matchedCount === 0 && revision !== undefined) throw conflict(id);
        // Its last event may have left between the two steps.
        await model.deleteOne({ _id: id, removed: true, ...NO_EVENTS });
      }),

    find: (options = {}) =>
      asked(async () => {
        const { order, filter, sort, limit } = search(options, now());
        const documents = await model
          .find(filter)
          .sort(sort)
          .limit(limit + 1)
          .lean<RecordDocument[]>();
        const shown = documents.slice(0, limit);
        const last = documents.length > limit ? shown.at(-1) : undefined;
        return {
          records: shown.map((document) => recordOf<T>(document)),
          next: last ? encodeCursor(sortValues(last, order)) : null,
        };
      }),

    count: (where) => asked(() => model.countDocuments({ $and: [alive(now()), whereFilter(where, allowed)] })),

    claim: ({ owner, leaseMs, now: at = now(), ...options }) =>
      asked(async () => {
        const { filter, sort } = search(options, at);
        const lease = { owner, until: at + leaseMs };
        // One command: the server chooses and claims in one step, or another claimant has it.
        const document = await model.findOneAndUpdate(
          { $and: [filter, free(at)] },
          { $set: { lease }, $inc: { revision: 1 } },
          { ...AFTER, sort },
        );
        return document ? recordOf<T>(document) : undefined;
      }),

    renew: (id, owner, leaseMs, at = now()) =>
      asked(async () => {
        const held = { _id: id, removed: false, 'lease.owner': owner };
        const { matchedCount } = await model.updateOne(held, { $set: { 'lease.until': at + leaseMs } });
        if (matchedCount === 0) {
          throw new EngramError('LEASE_LOST', `another owner holds a record of ${name}`, { field: id });
        }
      }),

    release: (id, owner) =>
      asked(async () => {
        await model.updateOne({ _id: id, 'lease.owner': owner }, { $set: { lease: null } });
      }),

    pendingEvents: (limit, idleMs = 0) =>
      asked(async () => {
        const idle = idleMs > 0 ? { updatedAt: { $lte: new Date(now() - idleMs).toISOString() } } : {};
        // The `limit` records whose first event is oldest hold the `limit` oldest events.
        const documents = await model
          .find({ 'pending.seq': { $gt: 0 }, ...idle })
          .sort({ 'pending.seq': 1 })
          .limit(limit)
          .select({ pending: 1 })
          .lean<RecordDocument[]>();
        return documents
          .flatMap(({ _id, pending }) => pending.map(({ seq, event }) => ({ id: _id, seq, event })))
          .sort((a, b) => a.seq - b.seq)
          .slice(0, limit)
          .map(({ id, event }) => ({ id, event: eventOf(event) }));
      }),

    markPublished: (published) =>
      asked(async () => {
        for (const [id, items] of Map.groupBy(published, (item) => item.id)) {
          const left = { pending: { id: { $in: items.map((item) => item.eventId) } } };
          const document = await model.findOneAndUpdate({ _id: id }, { $pull: left }, { ...AFTER, projection: MARKED });
          if (document?.removed) await model.deleteOne({ _id: id, removed: true, ...NO_EVENTS });
        }
      }),
  };
}

function sortValues(document: RecordDocument, order: Order): readonly Scalar[] {
  return order.map(([field]) => {
    let found: unknown = document;
    for (const name of field.split('.')) {
      found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : null;
    }
    return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? found : null;
  });
}
