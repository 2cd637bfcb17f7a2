/** `engram doctor`: what this machine has and lacks, each with what to do. */

import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { cacheDir } from '@engram/cache';
import { loadConfig, redactedConfig } from '@engram/config';
import { asEngramError } from '@engram/errors';
import { type DeviceListing, listDevices, openDevice } from '@engram/kernels';
import { ensureAtlas, openSegmenter } from '@engram/pipelines';
import type { Command } from 'commander';
import { plainLine, speak } from '../output.ts';
import { table } from '../table.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'missing';
  readonly detail: string;
}

const GIB = 1024 ** 3;
/** One whole session at 1 mm stays below this. */
const WANTED_MEMORY_GIB = 4;
const WANTED_DISK_GIB = 5;

const found = async (check: string, look: () => Promise<Omit<Finding, 'check'>>): Promise<Finding> => {
  try {
    return { check, ...(await look()) };
  } catch (error) {
    return { check, state: 'missing', detail: plainLine(asEngramError(error)) };
  }
};

export async function examine(env: NodeJS.ProcessEnv, atlasDir?: string): Promise<readonly Finding[]> {
  const findings = [
    found('node', async () => ({ state: 'ok', detail: process.version })),
    found('cores and memory', async () => {
      const gib = totalmem() / GIB;
      return {
        state: gib < WANTED_MEMORY_GIB ? 'warning' : 'ok',
        detail: `${availableParallelism()} cores, ${gib.toFixed(1)} GiB`,
      };
    }),
    found('free disk', async () => {
      const { bavail, bsize } = await statfs(process.cwd());
      const gib = (bavail * bsize) / GIB;
      return { state: gib < WANTED_DISK_GIB ? 'warning' : 'ok', detail: `${gib.toFixed(0)} GiB here` };
    }),
    found('atlas', async () => {
      const atlas = await ensureAtlas(atlasDir === undefined ? {} : { dir: atlasDir });
      return { state: 'ok', detail: `${atlas.manifest.name} ${atlas.manifest.version}, files match their sha256` };
    }),
    found('segmenter', async () => {
      const { segmenter: dir } = loadConfig({ env });
      if (dir === null) return { state: 'ok', detail: 'none: the atlas is registered' };
      const segmenter = await openSegmenter(dir);
      await segmenter.close();
      const { name, version } = segmenter.manifest;
      return { state: 'ok', detail: `${name} ${version}, gives the golden case of its manifest` };
    }),
    found('settings', async () => {
      const { bus, objects, records, fhir } = redactedConfig(loadConfig({ env })) as Record<string, unknown>;
      const embedded = [bus, objects, records].every((url) => /^(sqlite|file):/.test(String(url)));
      return { state: 'ok', detail: embedded ? 'embedded adapters' : JSON.stringify({ bus, objects, records, fhir }) };
    }),
    ...(await listDevices()).map((listing) => found(`device ${listing.backend}`, () => judgeDevice(listing))),
  ];
  return Promise.all(findings);
}

/** Opened, because a graphics device must prove itself then. A device that is not there is no fault while another is. */
async function judgeDevice({
  backend,
  name,
  available,
  software,
  reason,
}: DeviceListing): Promise<Omit<Finding, 'check'>> {
  if (!available) return { state: 'warning', detail: reason ?? name };
  if (software) return { state: 'warning', detail: `${name}: software and slow, used only when named` };
  try {
    await (await openDevice({ backend })).close();
    return { state: 'ok', detail: name };
  } catch (error) {
    return { state: 'warning', detail: plainLine(asEngramError(error)) };
  }
}

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has and lacks')
    .option('--atlas <dir>', 'atlas folder with a manifest, instead of the fetched one')
    .option('--json', 'print the findings as one JSON object')
    .action((options: { atlas?: string; json?: boolean }) =>
      speak(options, async () => {
        const findings = await examine(process.env, options.atlas);
        if (!options.json) {
          process.stdout.write(
            `${table([['check', 'state', 'detail'], ...findings.map((f) => [f.check, f.state, f.detail])])}\n`,
          );
          process.stdout.write(`cache folder: ${cacheDir()}\n`);
        }
        if (findings.some((finding) => finding.state === 'missing')) process.exitCode = 1;
        return { findings };
      }),
    );
}
