/**
 * Writes contracts/generated/ from the zod schemas: JSON Schema of every event, artifact and command-line report, one
 * AsyncAPI 3 document of the bus, one OpenAPI 3.1 document of the HTTP bodies that services share. Committed; a test fails
 * when they differ from what this prints.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedContracts } from '../contracts/src/generate.ts';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'contracts', 'generated');
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
const files = generatedContracts();
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
process.stdout.write(`${Object.keys(files).length} files written to contracts/generated\n`);
