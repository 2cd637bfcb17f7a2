import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Parser } from '@asyncapi/parser';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { events } from './events/index.ts';
import { generatedContracts } from './generate.ts';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'generated');
const files = (at: string): string[] =>
  readdirSync(at).flatMap((name) =>
    statSync(join(at, name)).isDirectory() ? files(join(at, name)) : [join(at, name)],
  );

describe('generated contracts', () => {
  test('what is committed is what the schemas generate, no file more or less (npm run generate)', () => {
    const committed = Object.fromEntries(files(folder).map((f) => [relative(folder, f), readFileSync(f, 'utf8')]));
    expect(committed).toEqual(generatedContracts());
  });

  test('the AsyncAPI document is valid AsyncAPI 3', async () => {
    const { diagnostics } = await new Parser().parse(readFileSync(join(folder, 'asyncapi.json'), 'utf8'));
    expect(diagnostics.filter((d) => d.severity === 0).map((d) => d.message)).toEqual([]);
  }, 60_000);

  test.each(Object.values(events).map((e) => [e.type, e] as const))(
    '%s: its example fits its JSON Schema',
    (type, event) => {
      const schema = JSON.parse(readFileSync(join(folder, 'events', `${type}.json`), 'utf8'));
      const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
      expect(validate(event.example), JSON.stringify(validate.errors)).toBe(true);
    },
  );
});
