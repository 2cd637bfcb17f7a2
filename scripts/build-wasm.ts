/** Builds the AssemblyScript kernels into libs/kernels/dist/kernels.wasm (not committed). Called by scripts/setup.mjs. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('../libs/kernels/', import.meta.url));
mkdirSync(`${root}dist`, { recursive: true });

// Plain SIMD and not relaxed: relaxed results may differ between processors, and gained nothing measurable. The stub
// runtime and imported shared memory keep the module free of state, so that each thread instantiates it.
const flags = [
  'src/wasm/kernels/index.ts',
  '--outFile',
  'dist/kernels.wasm',
  ...['-O3', '--noAssert', '--runtime', 'stub'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'threads,simd,bulk-memory'],
  // Hundreds of warnings that usize*i32 changes signs; it wraps as meant.
  ...['--disableWarning', '201'],
  ...['--baseDir', root],
];
const { error, stderr } = await main(flags);
const messages = stderr.toString().trim();
if (messages) process.stderr.write(`${messages}\n`);
if (error) {
  process.stderr.write(`build-wasm: ${error.message}\n`);
  process.exit(1);
}
