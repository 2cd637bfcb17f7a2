/**
 * Values as BSON documents: a field name that MongoDB or the driver would read as something else (a dot, a leading dollar,
 * NUL, the names below) is percent-encoded, so that any JSON comes back as it was. Ordinary names stay as they are. Pure.
 */
const AWKWARD = /[%.$\0]/g;
const SPECIAL = new Set(['', '_bsontype', '__proto__', 'constructor', 'prototype', 'toBSON']);

const encoded = (text: string): string => `%${text.charCodeAt(0).toString(16).padStart(2, '0')}`;

function encodeName(name: string): string {
  // `%` alone is no encoding of anything else: it stands for the empty name.
  if (SPECIAL.has(name)) return name === '' ? '%' : `${encoded(name)}${name.slice(1)}`;
  return name.replace(AWKWARD, encoded);
}

const decodeName = (name: string): string =>
  name === '%'
    ? ''
    : name.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [rename(name), renamed(item, rename)]));
}

/** As JSON would write it: no undefined, no NaN, dates as text. */
export const toDocument = (value: unknown): unknown => renamed(JSON.parse(JSON.stringify(value)), encodeName);

export const fromDocument = (document: unknown): unknown => renamed(document, decodeName);
