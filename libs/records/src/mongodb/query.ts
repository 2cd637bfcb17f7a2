/** Turns `Where`, `orderBy` and cursors into MongoDB filters over `value`. Pure. */
import { decodeCursor } from '../cursor.ts';
import { checkSearchable } from '../definition.ts';
import type { Condition, FindOptions, Scalar, Where } from '../port.ts';

export type Filter = Readonly<Record<string, unknown>>;

/** Null stands for absent, too: `$eq: null` matches both, and both sort first. */
function condition(wanted: Condition): Filter {
  if (wanted === null || typeof wanted !== 'object') return { $eq: wanted };
  if ('in' in wanted) return { $in: wanted.in };
  const bounds = { $gte: wanted.gte, $gt: wanted.gt, $lte: wanted.lte, $lt: wanted.lt };
  return Object.fromEntries(Object.entries(bounds).filter(([, bound]) => bound !== undefined));
}

export function whereFilter(where: Where | undefined, allowed: ReadonlySet<string>): Filter {
  const fields = Object.entries(where ?? {})
    .map(([path, wanted]) => [`value.${checkSearchable(path, allowed)}`, condition(wanted)] as const)
    .filter(([, filter]) => Object.keys(filter).length > 0);
  return Object.fromEntries(fields);
}

export type Order = readonly (readonly [field: string, direction: 1 | -1])[];

/**
 * The order asked for, then the id, so that it is total and a cursor has one place. In the direction of the last path: an
 * index of that path and the id is walked forwards or backwards, and nothing sorted.
 */
export function orderOf(orderBy: FindOptions['orderBy'], allowed: ReadonlySet<string>): Order {
  const given = (orderBy ?? []).map(
    ([path, direction]) => [`value.${checkSearchable(path, allowed)}`, direction === 'asc' ? 1 : -1] as const,
  );
  return [...given, ['_id', given.at(-1)?.[1] ?? 1]];
}

/** Records strictly after the cursor: a > x, or a = x and b > y, or …, absent values below every other. */
export function afterFilter(cursor: string | undefined, order: Order): Filter {
  if (cursor === undefined) return {};
  const values = decodeCursor(cursor, order.length);
  const alternatives = order.flatMap(([field, direction], i) => {
    const beyond = beyondFilter(field, direction, values[i] ?? null);
    if (!beyond) return [];
    const equal = order.slice(0, i).map(([before], j) => ({ [before]: { $eq: values[j] ?? null } }));
    return [{ $and: [...equal, beyond] }];
  });
  return { $or: alternatives };
}

function beyondFilter(field: string, direction: 1 | -1, value: Scalar): Filter | undefined {
  if (value === null) return direction === 1 ? { [field]: { $ne: null } } : undefined;
  if (direction === 1) return { [field]: { $gt: value } };
  // No record is without an id.
  if (field === '_id') return { _id: { $lt: value } };
  return { $or: [{ [field]: { $lt: value } }, { [field]: { $eq: null } }] };
}
