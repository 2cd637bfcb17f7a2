/** Writes docs/errors.md from the catalogue of libs/errors. Committed; a test fails when they differ. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorsDocument } from '../libs/errors/src/errors-document.ts';

writeFileSync(fileURLToPath(new URL('../docs/errors.md', import.meta.url)), errorsDocument());
process.stdout.write('docs/errors.md written\n');
