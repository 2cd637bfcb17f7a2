/**
 * Events as they were once published, one file a version. A topic, an outbox or a dead letter may hold any of them for as
 * long as it is kept, so each must still parse, whatever the schemas have become. A file is added with a version and
 * never edited: where an old event no longer fits, the schema is what is wrong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { envelope } from './envelope.ts';
import { events } from './index.ts';

const folder = join(import.meta.dirname, '../../fixtures/events');
const definitions = new Map<string, { readonly data: z.ZodType }>(
  Object.values(events).map((definition) => [definition.type, definition]),
);
const recorded = readdirSync(folder).map((name) => name.replace(/\.json$/, ''));
const read = (type: string): unknown => JSON.parse(readFileSync(join(folder, `${type}.json`), 'utf8'));
const several = z.array(z.looseObject({ data: z.unknown() })).min(1);

test('every version of every event that can be published is recorded', () => {
  expect(recorded.sort()).toEqual([...definitions.keys()].sort());
});

describe.each(recorded)('%s', (type) => {
  test.each(several.parse(read(type)).map((event, i) => [i, event] as const))('event %i still parses', (_, event) => {
    const { data, ...attributes } = event;
    expect(envelope.parse(attributes)).toEqual({ ...attributes, type });
    // Nothing that an old sender said may get lost on the way in.
    expect(definitions.get(type)?.data.parse(data)).toMatchObject(data as object);
  });
});

test.each(recorded)('%s: every choice that its schema offers is among the recorded', (type) => {
  const texts = new Set(stringsOf(read(type)));
  const schema = z.toJSONSchema(definitions.get(type)?.data ?? z.never());
  expect(choicesOf(schema).filter((choice) => !texts.has(choice))).toEqual([]);
});

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

/** The strings of every `enum` and `const` of a JSON Schema. */
function choicesOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, inner]) =>
    keyword === 'enum' || keyword === 'const' ? stringsOf([inner].flat()) : choicesOf(inner),
  );
}
