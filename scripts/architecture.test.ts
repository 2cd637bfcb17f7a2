/** The rules of docs/architecture.md that a compiler does not check, read off the source tree. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const sources = tracked.filter(
  (file) => file.endsWith('.ts') && /^(contracts|libs|services|apps|models|bench|stack|simulation)\//.test(file),
);
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const isTest = (file: string): boolean => /(\.(test|fixture)|conformance(\/[a-z-]+)?)\.ts$/.test(file);

/** Left to right: an import may only point to a smaller or equal layer. */
const LAYERS = ['contracts', 'libs', 'models', 'services', 'bench', 'apps', 'stack', 'simulation'];
const layerOf = (file: string): number => LAYERS.indexOf(file.split('/')[0] ?? '');
const folderOf = new Map(
  tracked
    .filter((file) => file.endsWith('package.json') && file !== 'package.json')
    .map((file) => [JSON.parse(read(file)).name as string, dirname(file)]),
);
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(@engram\/[a-z-]+)'/g)].map((match) => match[1] as string);

describe('architecture', () => {
  test('imports point only left: contracts → libs → services → apps', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .map((name) => folderOf.get(name) ?? '?')
        .filter((target) => layerOf(target) > layerOf(file) || target === '?')
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('no service imports another: they meet in contracts', () => {
    const wrong = sources
      .filter((file) => file.startsWith('services/'))
      .flatMap((file) =>
        importsOf(file)
          .map((name) => folderOf.get(name) ?? '')
          .filter((target) => target.startsWith('services/') && !file.startsWith(`${target}/`))
          .map((target) => `${file} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test('the engine does no input or output: kernels, volume and imaging import no file, network or process module', () => {
    const wrong = sources
      .filter((file) => /^libs\/(imaging|volume)\//.test(file) && !isTest(file))
      .filter((file) => /from 'node:(fs|http|https|net|child_process)/.test(read(file)));
    expect(wrong).toEqual([]);
  });

  test('the five services have the same inner layout', () => {
    const services = ['ingestion', 'preprocessing', 'feature-store', 'prediction', 'results'];
    const layout = ['README.md', 'src/main.ts', 'src/app.ts', 'src/decide.ts', 'src/consume.ts', 'src/store.ts'];
    const missing = services.flatMap((service) =>
      layout.map((file) => `services/${service}/${file}`).filter((file) => !tracked.includes(file)),
    );
    expect(missing).toEqual([]);
  });

  test('decisions are pure: decide.ts reads no clock, chance, environment or store', () => {
    const wrong = sources
      .filter((file) => /^services\/[a-z-]+\/src\/decide\.ts$/.test(file))
      .filter((file) =>
        /from 'node:(fs|http|child_process)|Date\.now|new Date\(\)|Math\.random|process\.|@engram\/(bus|records|objects|fhir|http)'/.test(
          read(file),
        ),
      );
    expect(wrong).toEqual([]);
  });

  test('no source file is longer than 550 lines', () => {
    const long = sources.filter((file) => !isTest(file) && read(file).split('\n').length > 550);
    expect(long).toEqual([]);
  });

  test('every workspace says what it is for', () => {
    const folders = [...folderOf.values()].filter((folder) => !tracked.includes(`${folder}/README.md`));
    expect(folders).toEqual([]);
  });

  test('the lockfile names no host', () => {
    expect(read('package-lock.json')).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });
});
