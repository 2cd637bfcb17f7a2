#!/usr/bin/env node
// Plain JavaScript so that any Node from 20 on can start it: installs what is missing, then re-executes itself on the
// pinned Node, which runs the TypeScript of apps/cli directly.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver } from '../scripts/hand-over.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'apps', 'cli', 'src', 'main.ts');
handOver(process.execPath, [join(root, 'scripts', 'setup.mjs'), '--run', main, ...process.argv.slice(2)]);
