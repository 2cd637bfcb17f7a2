import { expect, test } from 'vitest';
import { fromDocument, toDocument } from './field-names.ts';

test('ordinary values are stored as they are', () => {
  const value = { patient_key: 'a', at: { place: 'shelf', 'with-dash': [1, null, { b: true }] } };
  expect(toDocument(value)).toEqual(value);
});

test('no stored name holds a dot, a dollar or NUL, is empty or means something to the driver; all come back', () => {
  const names = ['a.b', '$set', 'a$', '%', '%2e', '100%', '', '\0', '_bsontype', '__proto__', 'constructor', 'é', '0'];
  const value = Object.fromEntries(names.map((name, i) => [name, { [name]: i }]));
  const stored = toDocument([value]);
  const kept = JSON.stringify(stored, (_, item: unknown) => item).matchAll(/"((?:[^"\\]|\\.)*)":/g);
  for (const [, name = ''] of kept) expect(name).not.toMatch(/^$|[.$]|\\u0000|^_bsontype$|^__proto__$|^constructor$/);
  expect(JSON.stringify(fromDocument(stored))).toBe(JSON.stringify([value]));
});

test('what JSON does not write is not stored', () => {
  expect(toDocument({ a: undefined, b: Number.NaN, c: new Date(0) })).toEqual({
    b: null,
    c: '1970-01-01T00:00:00.000Z',
  });
});
