/** Turns `Where`, `orderBy` and cursors into SQL over `json_extract`. Pure: text and parameters out. */
import type { SQLInputValue } from 'node:sqlite';
import { decodeCursor } from '../cursor.ts';
import { checkPath, checkSearchable } from '../definition.ts';
import type { Condition, FindOptions, Scalar, Where } from '../port.ts';

export interface Sql {
  readonly text: string;
  readonly parameters: readonly SQLInputValue[];
}

/** `a.b` to the expression an index holds; the same text, so that SQLite uses the index. */
export const pathExpression = (path: string): string => `json_extract(value, '$.${checkPath(path)}')`;

const bind = (value: Scalar): SQLInputValue => (typeof value === 'boolean' ? Number(value) : value);

function condition(expression: string, wanted: Condition): Sql {
  if (wanted === null) return { text: `${expression} IS NULL`, parameters: [] };
  if (typeof wanted !== 'object') return { text: `${expression} = ?`, parameters: [bind(wanted)] };
  if ('in' in wanted) {
    const values = wanted.in.filter((value) => value !== null);
    const list = `${expression} IN (${values.map(() => '?').join(', ')})`;
    const text = values.length < wanted.in.length ? `(${list} OR ${expression} IS NULL)` : list;
    return { text, parameters: values.map(bind) };
  }
  const parts: string[] = [];
  const parameters: SQLInputValue[] = [];
  for (const [key, operator] of [
    ['gte', '>='],
    ['gt', '>'],
    ['lte', '<='],
    ['lt', '<'],
  ] as const) {
    const bound = wanted[key];
    if (bound === undefined) continue;
    parts.push(`${expression} ${operator} ?`);
    parameters.push(bound);
  }
  return { text: parts.length === 0 ? '1' : `(${parts.join(' AND ')})`, parameters };
}

export function whereSql(where: Where | undefined, allowed: ReadonlySet<string>): Sql {
  const parts = Object.entries(where ?? {}).map(([path, wanted]) => condition(searchable(path, allowed), wanted));
  return {
    text: parts.length === 0 ? '1' : parts.map((part) => part.text).join(' AND '),
    parameters: parts.flatMap((part) => part.parameters),
  };
}

const searchable = (path: string, allowed: ReadonlySet<string>): string =>
  pathExpression(checkSearchable(path, allowed));

export interface Order {
  readonly expressions: readonly string[];
  readonly directions: readonly ('asc' | 'desc')[];
  readonly text: string;
}

/**
 * The order asked for, then the id in the direction of the last path, so that it is total, a cursor has one place, and an
 * index answers it as it is. Absent values come first in `asc`.
 */
export function orderSql(orderBy: FindOptions['orderBy'], allowed: ReadonlySet<string>): Order {
  const given = (orderBy ?? []).map(([path, direction]) => [searchable(path, allowed), direction] as const);
  const all = [...given, ['id', given.at(-1)?.[1] ?? 'asc'] as const];
  return {
    expressions: all.map(([expression]) => expression),
    directions: all.map(([, direction]) => direction),
    text: all.map(([expression, direction]) => `${expression} ${direction.toUpperCase()}`).join(', '),
  };
}

/** Rows strictly after the cursor: (a > ?) OR (a = ? AND b > ?) OR …, with NULL below every value as in ORDER BY. */
export function afterSql(cursor: string | undefined, order: Order): Sql {
  if (cursor === undefined) return { text: '1', parameters: [] };
  const values = decodeCursor(cursor, order.expressions.length);
  const parameters: SQLInputValue[] = [];
  const alternatives = values.map((value, i) => {
    const equal = order.expressions.slice(0, i).map((expression, j) => {
      parameters.push(bind(values[j] ?? null));
      return `${expression} IS ?`;
    });
    return [...equal, beyond(order.expressions[i] ?? 'id', order.directions[i] ?? 'asc', value, parameters)].join(
      ' AND ',
    );
  });
  return { text: `(${alternatives.map((alternative) => `(${alternative})`).join(' OR ')})`, parameters };
}

function beyond(expression: string, direction: 'asc' | 'desc', value: Scalar, parameters: SQLInputValue[]): string {
  if (value === null) return direction === 'asc' ? `${expression} IS NOT NULL` : '0';
  parameters.push(bind(value));
  return direction === 'asc' ? `${expression} > ?` : `(${expression} < ? OR ${expression} IS NULL)`;
}
