// Plain JavaScript for any Node from 20 on: installs what the repository needs, with progress, and quickly the second
// time; then hands over to the pinned Node. `node scripts/setup.mjs [--run FILE ARGS…]`
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver } from './hand-over.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const stamp = join(root, 'node_modules', '.engram-setup.json');
const say = (text) => process.stderr.write(`${text}\n`);
const fail = (text, code = 1) => {
  say(`engram setup: ${text}`);
  process.exit(code);
};

const hash = (files) => {
  const sum = createHash('sha256');
  for (const file of files) sum.update(file).update(readFileSync(file));
  return sum.digest('hex');
};
const tree = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap((e) => (e.isDirectory() ? tree(join(folder, e.name)) : [join(folder, e.name)]))
    : [];

/** Fingerprints of the last set-up: what they cover is not done again. */
const before = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : {};
/** Whole or not at all: five services may start at once, and each reads it. */
const remember = (done) => {
  const text = JSON.stringify(done);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return;
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(`${stamp}.${process.pid}`, text);
  renameSync(`${stamp}.${process.pid}`, stamp);
};
const now = {
  packages: hash([join(root, 'package-lock.json')]),
  wasm: hash(tree(join(root, 'libs/kernels/src/wasm/kernels'))),
};

if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node ${process.versions.node} is too old: install Node 20 or later`);

if (before.packages !== now.packages || !existsSync(pinned)) {
  const started = Date.now();
  say('engram setup: installing packages …');
  // `npm install` and not `npm ci`: npm ci refuses a lockfile made where a registry held this platform's optional binaries
  // only (npm/cli#9846); the lockfile pins every version either way.
  const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
    // onnxruntime-node would fetch CUDA files that a CPU never uses.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  if (npm.status !== 0)
    fail(`npm install failed (${npm.error?.message ?? `exit ${npm.status}`}); see its message above`);
  if (!existsSync(pinned)) fail('the pinned Node did not install: allow the install script of the package "node"');
  say(`engram setup: packages installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  remember({ packages: now.packages });
  before.wasm = undefined;
}
const built = join(root, 'libs/kernels/dist/kernels.wasm');
if (existsSync(join(root, 'scripts/build-wasm.ts')) && (before.wasm !== now.wasm || !existsSync(built))) {
  say('engram setup: building the WASM kernels …');
  const build = spawnSync(pinned, [join(root, 'scripts/build-wasm.ts')], { cwd: root, stdio: ['ignore', 2, 2] });
  if (build.status !== 0) fail('the WASM kernels did not build; see the message above');
  if (existsSync(built)) statSync(built);
}
remember(now);

const at = process.argv.indexOf('--run');
if (at > 0) {
  const path = `${dirname(pinned)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`;
  handOver(pinned, process.argv.slice(at + 1), { ...process.env, PATH: path, ONNXRUNTIME_NODE_INSTALL: 'skip' });
}
