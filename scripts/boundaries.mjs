// `turbo boundaries`, failing on every finding but one kind: turbo cannot parse AssemblyScript, which is no package's import.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const turbo = join('node_modules', '.bin', 'turbo');
const { stdout, stderr } = spawnSync(turbo, ['boundaries', '--no-color'], {
  encoding: 'utf8',
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
});
const findings = `${stdout}\n${stderr}`.split('\n').filter((line) => /^\s+x /.test(line));
const real = findings.filter((line) => !/failed to parse file .*wasm\/kernels/.test(line));
const checked = /Checked (\d+) files/.exec(stdout)?.[1];
if (checked === undefined) {
  process.stderr.write(`turbo boundaries gave no answer\n${stdout}${stderr}\n`);
  process.exit(1);
}
for (const line of real) process.stderr.write(`${line}\n`);
process.stdout.write(`${checked} files, ${real.length} findings\n`);
process.exit(real.length === 0 ? 0 : 1);
