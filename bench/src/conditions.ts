/** Under what a figure was measured: said beside every table. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export function conditions(now: Date, device: string): readonly string[] {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown processor';
  const gib = Math.round(totalmem() / 1024 ** 3);
  return [
    now.toISOString().slice(0, 10),
    `${availableParallelism()} cores (${cpu}), ${gib} GiB, load ${loadavg()[0]?.toFixed(1) ?? '?'} at the end`,
    `Node ${process.versions.node}`,
    `device ${device}`,
    `commit ${commit()}`,
  ];
}

function commit(): string {
  try {
    const cwd = dirname(fileURLToPath(import.meta.url));
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
