import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngramError } from '@engram/errors';
import { describe, expect, test } from 'vitest';
import { embeddedAdapters, loadConfig, redactedConfig, requireDistributed } from './load-config.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'engram-config-'));

function refusal(env: Record<string, string>, cwd = folder(), file?: string): EngramError {
  try {
    loadConfig({ env, cwd, ...(file ? { file } : {}) });
  } catch (error) {
    if (error instanceof EngramError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const CERTIFICATE = 'certificate';

describe('without any setting', () => {
  test('everything lies below .engram, listens on 127.0.0.1 and sends nothing anywhere', () => {
    const cwd = folder();
    const config = loadConfig({ env: {}, cwd });
    expect(config).toMatchObject({
      bus: `sqlite://${cwd}/.engram/bus.db`,
      objects: `file://${cwd}/.engram/objects`,
      records: `sqlite://${cwd}/.engram/records.db`,
      host: '127.0.0.1',
      token: null,
      telemetry: { exporter: 'none' },
    });
    expect(embeddedAdapters(config)).toEqual(['bus', 'objects', 'records', 'fhir']);
    expect(new Set(Object.values(config.ports)).size).toBe(6);
  });

  test('the site secret is made once, kept for its owner alone and found again', () => {
    const cwd = folder();
    const { siteSecret } = loadConfig({ env: {}, cwd });
    expect(siteSecret).toMatch(/^[0-9a-f]{64}$/);
    expect(loadConfig({ env: {}, cwd }).siteSecret).toBe(siteSecret);
    expect(statSync(join(cwd, '.engram', 'site-secret')).mode & 0o777).toBe(0o600);
    expect(loadConfig({ env: {}, cwd: folder() }).siteSecret).not.toBe(siteSecret);
  });

  test('the pipelines have the defaults of the seed document', () => {
    expect(loadConfig({ env: {}, cwd: folder() }).pipelines).toMatchObject({
      segmentation: { gpu_memory_limit: 8, batch_size: 1 },
      parcellation: { depth_number: 5 },
      wmh_detection: { threshold: 0.5, min_size: 10 },
      cmb_detection: { min_threshold: 0.084, fp_reduction_threshold: 0.357 },
      dwi_analysis: { threshold: 0.3, parcellation_regions: [103, 104, 109, 110, 111, 112] },
      registration: { interpolation: 'nearestneighbour', cost_function: 'normcorr' },
    });
  });
});

test('a file changes what it names and nothing else', () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'engram.config.yaml'), 'pipelines:\n  wmh_detection:\n    threshold: 0.4\n');
  const { pipelines } = loadConfig({ env: {}, cwd });
  expect(pipelines.wmh_detection).toMatchObject({ threshold: 0.4, min_size: 10 });
});

describe('refusals', () => {
  test('every problem is named at once, of the environment and of the file', () => {
    const cwd = folder();
    writeFileSync(
      join(cwd, 'engram.config.yaml'),
      'pipelines:\n  wmh_detection:\n    treshold: 0.4\n    min_size: 0\n',
    );
    const error = refusal({ ENGRAM_DEVICE: 'quantum', ENGRAM_RESULTS_PORT: '99999', ENGRAM_WROKERS: '2' }, cwd);
    expect(error.code).toBe('CONFIG_INVALID');
    for (const field of [
      'ENGRAM_DEVICE',
      'ENGRAM_RESULTS_PORT',
      'ENGRAM_WROKERS',
      'pipelines.wmh_detection.treshold',
      'pipelines.wmh_detection.min_size',
    ]) {
      expect(error.message).toContain(`${field}: `);
    }
  });

  test.each([
    [{ ENGRAM_BUS_URL: 'redis://x' }, 'ENGRAM_BUS_URL'],
    [{ ENGRAM_FHIR_URL: 'ftp://x' }, 'ENGRAM_FHIR_URL'],
    [{ ENGRAM_ALLOW: 'gopher://x' }, 'ENGRAM_ALLOW'],
    [{ ENGRAM_SITE_SECRET: 'short' }, 'ENGRAM_SITE_SECRET'],
    [{ ENGRAM_TOKEN_FILE: '/does/not/exist' }, 'ENGRAM_TOKEN_FILE'],
    [{ ENGRAM_EXPORTER: 'otlp' }, 'ENGRAM_OTLP_URL'],
    [{ ENGRAM_TLS_CERT_FILE: '/does/not/exist' }, 'ENGRAM_TLS_CERT_FILE'],
    [{ ENGRAM_RECORDS_URL: 'mongodb://db/engram' }, 'ENGRAM_SITE_SECRET'],
  ])('%o is refused by name', (env, field) => {
    const error = refusal(env);
    expect(error.field).toContain(field);
  });

  test('off 127.0.0.1 neither plain HTTP nor an absent token is accepted', () => {
    expect(refusal({ ENGRAM_HOST: '0.0.0.0' }).field).toBe('ENGRAM_HOST, ENGRAM_TOKEN, ENGRAM_FHIR_TOKEN');
    const one = { ENGRAM_HOST: '0.0.0.0', ENGRAM_TOKEN: 'a-token-of-16-characters', ENGRAM_BEHIND_TLS_PROXY: '1' };
    expect(refusal(one).field).toBe('ENGRAM_FHIR_TOKEN');
    expect(loadConfig({ env: { ...one, ENGRAM_FHIR_URL: 'https://fhir.example' }, cwd: folder() }).host).toBe(
      '0.0.0.0',
    );
    const token = {
      ENGRAM_HOST: '0.0.0.0',
      ENGRAM_TOKEN: 'a-token-of-16-characters',
      ENGRAM_FHIR_TOKEN: 'another-of-16-characters',
    };
    expect(refusal(token).field).toBe('ENGRAM_HOST');
    expect(loadConfig({ env: { ...token, ENGRAM_BEHIND_TLS_PROXY: '1' }, cwd: folder() }).host).toBe('0.0.0.0');
    const cwd = folder();
    const file = join(cwd, 'tls.pem');
    writeFileSync(file, CERTIFICATE);
    const tls = { ENGRAM_TLS_CERT_FILE: file, ENGRAM_TLS_KEY_FILE: file };
    expect(loadConfig({ env: { ...token, ...tls }, cwd }).tls).toEqual({ cert: CERTIFICATE, key: CERTIFICATE });
  });

  test('a service by itself refuses adapters that no other process would share', () => {
    const config = loadConfig({ env: { ENGRAM_BUS_URL: 'kafka://broker:9092' }, cwd: folder() });
    expect(() => requireDistributed(config)).toThrow(/ENGRAM_OBJECTS_URL, ENGRAM_RECORDS_URL, ENGRAM_FHIR_URL/);
  });

  test('a missing file is refused when it was asked for', () => {
    expect(refusal({}, folder(), 'other.yaml').message).toContain('cannot be read');
  });
});

test('a secret may come by file', () => {
  const cwd = folder();
  const file = join(cwd, 'token');
  writeFileSync(file, 'a-token-of-16-characters\n');
  expect(loadConfig({ env: { ENGRAM_TOKEN_FILE: file }, cwd }).token).toBe('a-token-of-16-characters');
});

test('the printed configuration holds no secret', () => {
  const cwd = folder();
  const secrets = {
    ENGRAM_SITE_SECRET: 'canary-site-secret-canary-site-secret',
    ENGRAM_TOKEN: 'canary-token-canary-token',
    ENGRAM_FHIR_TOKEN: 'canary-fhir-token',
    ENGRAM_RECORDS_URL: 'mongodb://user:canary-p@ss@db/engram?password=canary',
    ENGRAM_FHIR_URL: 'https://user:canary@fhir.example/r4',
    ENGRAM_ALLOW: 'https://user:canary@pacs.example/',
  };
  const text = JSON.stringify(redactedConfig(loadConfig({ env: secrets, cwd })));
  expect(text).not.toContain('canary');
  expect(text).toContain('db/engram');
});

test('the default site secret file is not part of what is printed', () => {
  const cwd = folder();
  const text = JSON.stringify(redactedConfig(loadConfig({ env: {}, cwd })));
  expect(text).not.toContain(readFileSync(join(cwd, '.engram', 'site-secret'), 'utf8').trim());
});
