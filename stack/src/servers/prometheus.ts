/** Prometheus: scrapes the targets of `targets.json` in its folder, which may change while it runs. */
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchPrograms } from '../install/debian.ts';
import { getJson, httpUrl } from '../run/http.ts';
import { HOST, type ServerDefinition } from '../server.ts';

const VERSION = '2.42.0+ds-5+deb12u1';

export const prometheus: ServerDefinition = {
  name: 'prometheus',
  version: VERSION,
  ports: ['http'],
  startupMs: 120_000,

  install: (folders, progress) =>
    fetchPrograms(
      [
        {
          name: 'prometheus',
          version: VERSION,
          sha256: '81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55',
        },
      ],
      folders,
      progress,
    ),

  async launch({ installed, dir, ports }) {
    const settings = join(dir, 'prometheus.yml');
    const targets = targetsFile(dir);
    await writeFile(settings, SETTINGS);
    const listed = await access(targets).then(
      () => true,
      () => false,
    );
    if (!listed) await writeFile(targets, '[]\n');
    return {
      program: join(installed, 'root', 'usr', 'bin', 'prometheus'),
      args: [
        `--config.file=${settings}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        `--web.listen-address=${HOST}:${ports['http']}`,
      ],
    };
  },

  async ready({ ports }) {
    const answer = (await getJson(httpUrl(ports['http'], '/api/v1/query?query=1'))) as { status?: string };
    if (answer.status !== 'success') throw new Error('a query failed');
  },

  environment: ({ ports }) => ({ PROMETHEUS_URL: httpUrl(ports['http']) }),
};

const targetsFile = (dir: string): string => join(dir, 'targets.json');

/** The path of the targets is taken from the settings file's own folder. */
const SETTINGS = `global: { scrape_interval: 2s }
scrape_configs:
  - job_name: engram
    file_sd_configs: [{ files: [targets.json], refresh_interval: 2s }]
`;
