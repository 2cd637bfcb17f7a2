/** Every setting that the deployment and its documents name is one that the configuration knows: it refuses to start on others. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { environment, SERVICES } from '@engram/config';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Secrets may be named by file; the cache folder is read by the atlas cache itself. */
const known = new Set([
  ...Object.keys(environment.shape),
  ...['ENGRAM_SITE_SECRET', 'ENGRAM_TOKEN', 'ENGRAM_FHIR_TOKEN'].map((name) => `${name}_FILE`),
  'ENGRAM_CACHE_DIR',
]);

const files = ['deploy', 'docs/operations'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name)),
);

/** A name that a template completes ends in `_`: `ENGRAM_{{ … }}_PORT`. */
const settingsIn = (text: string): string[] =>
  [...text.matchAll(/\bENGRAM_[A-Z_]+/g)].map(([name]) => name).filter((name) => !name.endsWith('_'));

describe('settings', () => {
  test('there are files that name some, and all are known', () => {
    const named = files.flatMap((file) => settingsIn(readFileSync(file, 'utf8')).map((name) => ({ file, name })));
    expect(named.length).toBeGreaterThan(20);
    const unknown = named.filter(({ name }) => !known.has(name));
    expect(unknown.map(({ file, name }) => `${relative(root, file)}: ${name}`)).toEqual([]);
  });

  test('scrape and chart look where the services do by default', () => {
    const scrape = readFileSync(join(root, 'deploy/observability/prometheus.yml'), 'utf8');
    const chart = readFileSync(join(root, 'deploy/helm/engram/values.yaml'), 'utf8');
    const defaults = environment.parse({});
    for (const service of SERVICES.filter((name) => name !== 'fhir')) {
      const port = Reflect.get(defaults, `ENGRAM_${service.toUpperCase().replace('-', '_')}_PORT`) as number;
      expect(scrape).toMatch(new RegExp(`['"]${service}:${port}['"]`));
      expect(chart).toMatch(new RegExp(`^ *${service}:\\n +port: ${port}$`, 'm'));
    }
  });
});
