/** One record as one document: value, lock, lease, expiry and the events that have not left yet. */
import type { EngramEvent } from '@engram/contracts';
import { type Connection, type Model, Schema } from 'mongoose';
import { checkName, checkPath, pathsOf } from '../definition.ts';
import type { CollectionDefinition, Lease, OrderedSearch, StoredRecord } from '../port.ts';
import { fromDocument } from './field-names.ts';

export interface RecordDocument {
  readonly _id: string;
  readonly revision: number;
  readonly value: unknown;
  /** Text of each unique tuple by its name; absent where one of its values is, so that the sparse index passes it over. */
  readonly unique: Readonly<Record<string, string>>;
  readonly lease: Lease | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly expiresAt: number | null;
  /** `id` is that of the event, by which it is taken out once it is published. */
  readonly pending: readonly { readonly seq: number; readonly id: string; readonly event: unknown }[];
  /** Kept for its events alone; nobody sees it, and the next record of its id takes its place. */
  readonly removed: boolean;
}

const { Mixed } = Schema.Types;
const pending = new Schema({ seq: Number, id: String, event: Mixed }, { _id: false, id: false, minimize: false });
const lease = new Schema({ owner: String, until: Number }, { _id: false, id: false });

export function modelOf(connection: Connection, { name }: CollectionDefinition<unknown>): Model<RecordDocument> {
  const schema = new Schema<RecordDocument>(
    {
      _id: String,
      revision: Number,
      value: Mixed,
      unique: Mixed,
      lease: { type: lease, default: null },
      createdAt: String,
      updatedAt: String,
      expiresAt: { type: Number, default: null },
      pending: [pending],
      removed: Boolean,
    },
    { collection: checkName(name), versionKey: false, id: false, minimize: false, autoIndex: false, autoCreate: false },
  );
  return connection.model(name, schema);
}

/** No dots, which would be a path. */
export const tupleName = (paths: readonly string[]): string => paths.map((path) => path.replaceAll('.', '/')).join(',');

/** @param value As JSON. */
export function tuplesOf({ unique = [] }: CollectionDefinition<unknown>, value: unknown): Record<string, string> {
  const tuples = unique.map((paths) => [tupleName(paths), paths.map((path) => at(value, path))] as const);
  return Object.fromEntries(
    tuples
      .filter(([, values]) => values.every((each) => each !== null))
      .map(([name, values]) => [name, JSON.stringify(values)]),
  );
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    found = typeof found === 'object' && found !== null && name in found ? Reflect.get(found, name) : null;
  }
  return found ?? null;
}

export function indexesOf({ indexes = [], ordered = [], unique = [] }: CollectionDefinition<unknown>) {
  return [
    { name: 'pending', key: { 'pending.seq': 1 } },
    { name: 'expires', key: { expiresAt: 1 } },
    ...indexes.map((path) => ({ name: path, key: { [`value.${checkPath(path)}`]: 1, _id: 1 } })),
    ...ordered.map((search) => ({ name: `ordered:${tupleName(pathsOf(search))}`, key: orderedKey(search) })),
    ...unique.map((paths) => ({
      name: `unique:${tupleName(paths.map(checkPath))}`,
      key: { [`unique.${tupleName(paths)}`]: 1 },
      unique: true,
      sparse: true,
    })),
  ] as const;
}

/** Equality first, then the order: what MongoDB walks without sorting. The id follows the last direction, as in a search. */
function orderedKey({ where, orderBy }: OrderedSearch): Record<string, 1 | -1> {
  const order = orderBy.map(([path, direction]) => [`value.${checkPath(path)}`, direction === 'asc' ? 1 : -1] as const);
  const equal = where.map((path) => [`value.${checkPath(path)}`, 1] as const);
  return Object.fromEntries([...equal, ...order, ['_id', order.at(-1)?.[1] ?? 1]]);
}

export const recordOf = <T>(document: RecordDocument): StoredRecord<T> => ({
  id: document._id,
  revision: document.revision,
  value: fromDocument(document.value) as T,
  lease: document.lease && { owner: document.lease.owner, until: document.lease.until },
  createdAt: document.createdAt,
  updatedAt: document.updatedAt,
});

export const eventOf = (stored: unknown): EngramEvent => fromDocument(stored) as EngramEvent;
