#!/usr/bin/env node
// Plain JavaScript so that any Node from 20 on can start it: installs what is missing, then re-executes itself on the
// pinned Node, which runs the TypeScript of apps/cli directly.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const child = spawn(
  process.execPath,
  [join(root, 'scripts', 'setup.mjs'), '--run', join(root, 'apps', 'cli', 'src', 'main.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
