/** Where a page ended: the sort values of its last record, as opaque text. */
import { EngramError } from '@engram/errors';
import type { Scalar } from './port.ts';

export type CursorValues = readonly Scalar[];

export const encodeCursor = (values: CursorValues): string => Buffer.from(JSON.stringify(values)).toString('base64url');

/** @throws REQUEST_INVALID when it is not one that a search with so many sort values returned. */
export function decodeCursor(cursor: string, length: number): CursorValues {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(values) && values.length === length && values.every(isScalar)) return values;
  } catch {
    // falls through to the one refusal
  }
  throw new EngramError('REQUEST_INVALID', 'the cursor is not one that this search returned', { field: 'cursor' });
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
