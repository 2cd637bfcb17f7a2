import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../cursor.ts';
import { indexesOf } from './document.ts';
import { afterFilter, orderOf, whereFilter } from './query.ts';

const allowed = new Set(['kind', 'at.place']);

describe('where', () => {
  test('conditions are over the value, and never operators of the caller', () => {
    expect(whereFilter({ kind: 'cup', 'at.place': { in: ['shelf', null] } }, allowed)).toEqual({
      'value.kind': { $eq: 'cup' },
      'value.at.place': { $in: ['shelf', null] },
    });
    expect(whereFilter({ kind: { gte: 'a', lt: 'c' } }, allowed)).toEqual({ 'value.kind': { $gte: 'a', $lt: 'c' } });
    const smuggled = JSON.parse('{"kind":{"$where":"sleep(1000)"}}');
    expect(whereFilter(smuggled, allowed)).toEqual({});
  });

  test('a path that is not an index is refused', () => {
    expect(() => whereFilter({ colour: 'red' }, allowed)).toThrow(
      expect.objectContaining({ code: 'RECORD_PATH_UNKNOWN', field: 'colour' }),
    );
  });
});

describe('order', () => {
  test('the id follows the last direction, so that an index is walked either way', () => {
    const both = new Set(['rank', 'at']);
    expect(orderOf([], both)).toEqual([['_id', 1]]);
    const orderBy = [
      ['rank', 'desc'],
      ['at', 'asc'],
    ] as const;
    const order = orderOf(orderBy, both);
    const index = indexesOf({ name: 'test.runs', ordered: [{ where: ['open'], orderBy }] }).find(({ name }) =>
      name.startsWith('ordered:'),
    );
    expect(Object.entries(index?.key ?? {})).toEqual([['value.open', 1], ...order]);
  });
});

describe('after a cursor', () => {
  const order = orderOf([['kind', 'desc']], allowed);

  test('in falling order come smaller or absent values, and among equal ones the ids below', () => {
    expect(afterFilter(encodeCursor(['cup', 'r-1']), order)).toEqual({
      $or: [
        { $and: [{ $or: [{ 'value.kind': { $lt: 'cup' } }, { 'value.kind': { $eq: null } }] }] },
        { $and: [{ 'value.kind': { $eq: 'cup' } }, { _id: { $lt: 'r-1' } }] },
      ],
    });
  });

  test('of an absent value in falling order only the ids below are left', () => {
    expect(afterFilter(encodeCursor([null, 'r-1']), order)).toEqual({
      $or: [{ $and: [{ 'value.kind': { $eq: null } }, { _id: { $lt: 'r-1' } }] }],
    });
  });

  test('one of another search is refused', () => {
    expect(() => afterFilter(encodeCursor(['r-1']), order)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });
});
