/** Environment and `engram.config.yaml` into one frozen object, or every problem at once. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfigFile, configFile } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { type Environment, environment, SECRET_NAMES, type ServiceName } from './environment.ts';
import { readOrMakeSecret } from './site-secret.ts';

export interface Config {
  readonly home: string;
  readonly bus: string;
  readonly objects: string;
  readonly records: string;
  /** null: the embedded server. */
  readonly fhir: { readonly url: string | null; readonly token: string | null; readonly port: number };
  readonly device: Environment['ENGRAM_DEVICE'];
  /** Folder with manifest.json; null: the atlas is registered. */
  readonly segmenter: string | null;
  readonly host: string;
  readonly ports: Readonly<Record<ServiceName, number>>;
  /** Base URLs of the services that others read by contract HTTP. */
  readonly peers: { readonly ingestion: string; readonly featureStore: string; readonly prediction: string };
  readonly siteSecret: string;
  readonly token: string | null;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly behindTlsProxy: boolean;
  /** Exact entries: a URL (prefix of what may be fetched) or a folder as `file:///…`. */
  readonly allow: readonly string[];
  readonly workers: number;
  readonly taskMemoryMb: number;
  readonly taskTimeoutS: number;
  readonly cacheMb: number;
  /** Days after which an S3 store drops intermediate results, or moves raw DICOM to a colder class; 0 never. */
  readonly lifecycle: { readonly taskResultsDays: number; readonly rawColdDays: number };
  readonly quietS: number;
  readonly pollS: number;
  readonly storage: Environment['ENGRAM_STORAGE'];
  readonly logLevel: Environment['ENGRAM_LOG_LEVEL'];
  readonly telemetry: { readonly exporter: Environment['ENGRAM_EXPORTER']; readonly endpoint: string | undefined };
  readonly pipelines: ConfigFile['pipelines'];
}

export interface LoadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default `engram.config.yaml` in the working directory, when it is there. */
  readonly file?: string;
  /** What relative paths start from. */
  readonly cwd?: string;
}

interface Problem {
  readonly field: string;
  readonly why: string;
}

const LOCAL = new Set(['127.0.0.1', '::1', 'localhost']);

/** @throws CONFIG_INVALID that names every wrong setting and what is wrong with it. */
export function loadConfig({ env, file, cwd = process.cwd() }: LoadOptions): Config {
  const problems: Problem[] = [];
  const settings = parseEnvironment(env, problems);
  const pipelines = parseFile(file, cwd, problems);
  const config = settings && pipelines && assemble(settings, pipelines, cwd, problems);
  if (!config || problems.length > 0) {
    const text = problems.map(({ field, why }) => `${field}: ${why}`).join('; ');
    throw new EngramError('CONFIG_INVALID', text, { field: problems.map(({ field }) => field).join(', ') });
  }
  return Object.freeze(config);
}

function collect(problems: Problem[], error: z.ZodError, prefix = ''): undefined {
  for (const issue of error.issues) {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const path = [prefix, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    for (const key of unknown) problems.push({ field: path === '' ? key : `${path}.${key}`, why: 'is not a setting' });
    if (unknown.length === 0) problems.push({ field: path, why: issue.message });
  }
  return undefined;
}

function parseEnvironment(env: LoadOptions['env'], problems: Problem[]): Environment | undefined {
  // An empty variable counts as not set, as compose files write it.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  for (const name of SECRET_NAMES) {
    const path = given[`${name}_FILE`];
    if (path === undefined) continue;
    const text = readText(path);
    if (text === undefined) problems.push({ field: `${name}_FILE`, why: 'the file cannot be read' });
    else given[name] = text.trim();
  }
  const known = new Set([...Object.keys(environment.shape), ...SECRET_NAMES.map((name) => `${name}_FILE`), ...OTHERS]);
  for (const name of Object.keys(given)) {
    if (name.startsWith('ENGRAM_') && !known.has(name)) problems.push({ field: name, why: 'is not a setting' });
  }
  const parsed = environment.safeParse(given);
  return parsed.success ? parsed.data : collect(problems, parsed.error);
}

/** Read by the command line itself and by the atlas cache, before or beside the configuration. */
const OTHERS = ['ENGRAM_CACHE_DIR', 'ENGRAM_DEBUG', 'ENGRAM_CONFIG'] as const;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseFile(file: string | undefined, cwd: string, problems: Problem[]): ConfigFile['pipelines'] | undefined {
  const path = resolve(cwd, file ?? 'engram.config.yaml');
  if (file === undefined && !existsSync(path)) return configFile.parse({}).pipelines;
  const text = readText(path);
  const field = 'engram.config.yaml';
  if (text === undefined) {
    problems.push({ field, why: 'the file cannot be read' });
    return undefined;
  }
  let value: unknown;
  try {
    value = parseYaml(text) ?? {};
  } catch {
    problems.push({ field, why: 'is not YAML' });
    return undefined;
  }
  const parsed = configFile.safeParse(value);
  return parsed.success ? parsed.data.pipelines : collect(problems, parsed.error);
}

function assemble(
  settings: Environment,
  pipelines: ConfigFile['pipelines'],
  cwd: string,
  problems: Problem[],
): Config | undefined {
  const home = resolve(cwd, settings.ENGRAM_HOME);
  const records = settings.ENGRAM_RECORDS_URL ?? `sqlite://${home}/records.db`;
  const tls = readTls(settings, problems);
  const host = settings.ENGRAM_HOST;
  if (!LOCAL.has(host)) {
    if (!tls && !settings.ENGRAM_BEHIND_TLS_PROXY) {
      problems.push({
        field: 'ENGRAM_HOST',
        why: 'off 127.0.0.1 needs ENGRAM_TLS_CERT_FILE and ENGRAM_TLS_KEY_FILE, or ENGRAM_BEHIND_TLS_PROXY=1',
      });
    }
    if (!settings.ENGRAM_TOKEN) problems.push({ field: 'ENGRAM_TOKEN', why: 'off 127.0.0.1 a token must be set' });
    // The embedded FHIR server holds patients' names and listens on the same address.
    if (!settings.ENGRAM_FHIR_URL && !settings.ENGRAM_FHIR_TOKEN)
      problems.push({ field: 'ENGRAM_FHIR_TOKEN', why: 'off 127.0.0.1 the embedded FHIR server needs one' });
  }
  if (settings.ENGRAM_EXPORTER === 'otlp' && !settings.ENGRAM_OTLP_URL) {
    problems.push({ field: 'ENGRAM_OTLP_URL', why: 'the otlp exporter needs it' });
  }
  const embedded = records.startsWith('sqlite:');
  if (!embedded && !settings.ENGRAM_SITE_SECRET) {
    problems.push({ field: 'ENGRAM_SITE_SECRET', why: 'must be the same for all services, so it is not made up here' });
  }
  const objects = settings.ENGRAM_OBJECTS_URL ?? `file://${home}/objects`;
  for (const field of ['ENGRAM_TASK_RESULTS_DAYS', 'ENGRAM_RAW_COLD_DAYS'] as const) {
    if (settings[field] > 0 && !objects.startsWith('s3:')) problems.push({ field, why: 'needs an s3:// store' });
  }
  if (problems.length > 0) return undefined;
  return {
    home,
    records,
    bus: settings.ENGRAM_BUS_URL ?? `sqlite://${home}/bus.db`,
    objects,
    fhir: {
      url: settings.ENGRAM_FHIR_URL?.replace(/\/+$/, '') ?? null,
      token: settings.ENGRAM_FHIR_TOKEN ?? null,
      port: settings.ENGRAM_FHIR_PORT,
    },
    device: settings.ENGRAM_DEVICE,
    segmenter: settings.ENGRAM_SEGMENTER === undefined ? null : resolve(cwd, settings.ENGRAM_SEGMENTER),
    host,
    ports: {
      ingestion: settings.ENGRAM_INGESTION_PORT,
      preprocessing: settings.ENGRAM_PREPROCESSING_PORT,
      'feature-store': settings.ENGRAM_FEATURE_STORE_PORT,
      prediction: settings.ENGRAM_PREDICTION_PORT,
      results: settings.ENGRAM_RESULTS_PORT,
      fhir: settings.ENGRAM_FHIR_PORT,
    },
    peers: {
      ingestion: peer(settings.ENGRAM_INGESTION_URL, settings.ENGRAM_INGESTION_PORT),
      featureStore: peer(settings.ENGRAM_FEATURE_STORE_URL, settings.ENGRAM_FEATURE_STORE_PORT),
      prediction: peer(settings.ENGRAM_PREDICTION_URL, settings.ENGRAM_PREDICTION_PORT),
    },
    siteSecret: settings.ENGRAM_SITE_SECRET ?? readOrMakeSecret(`${home}/site-secret`),
    token: settings.ENGRAM_TOKEN ?? null,
    tls,
    behindTlsProxy: settings.ENGRAM_BEHIND_TLS_PROXY,
    allow: settings.ENGRAM_ALLOW,
    workers: settings.ENGRAM_WORKERS,
    taskMemoryMb: settings.ENGRAM_TASK_MEMORY_MB,
    taskTimeoutS: settings.ENGRAM_TASK_TIMEOUT_S,
    cacheMb: settings.ENGRAM_CACHE_MB,
    lifecycle: { taskResultsDays: settings.ENGRAM_TASK_RESULTS_DAYS, rawColdDays: settings.ENGRAM_RAW_COLD_DAYS },
    quietS: settings.ENGRAM_QUIET_S,
    pollS: settings.ENGRAM_POLL_S,
    storage: settings.ENGRAM_STORAGE,
    logLevel: settings.ENGRAM_LOG_LEVEL,
    telemetry: { exporter: settings.ENGRAM_EXPORTER, endpoint: settings.ENGRAM_OTLP_URL },
    pipelines,
  };
}

const peer = (url: string | undefined, port: number): string => url?.replace(/\/+$/, '') ?? `http://127.0.0.1:${port}`;

function readTls(settings: Environment, problems: Problem[]): Config['tls'] {
  const { ENGRAM_TLS_CERT_FILE: certFile, ENGRAM_TLS_KEY_FILE: keyFile } = settings;
  if (certFile === undefined && keyFile === undefined) return null;
  const cert = certFile === undefined ? undefined : readText(certFile);
  const key = keyFile === undefined ? undefined : readText(keyFile);
  if (cert === undefined) problems.push({ field: 'ENGRAM_TLS_CERT_FILE', why: 'the file cannot be read' });
  if (key === undefined) problems.push({ field: 'ENGRAM_TLS_KEY_FILE', why: 'the file cannot be read' });
  return cert === undefined || key === undefined ? null : { cert, key };
}

/** Which adapters of a configuration live in this machine's files or process. */
export function embeddedAdapters(config: Config): readonly ('bus' | 'objects' | 'records' | 'fhir')[] {
  const embedded: ('bus' | 'objects' | 'records' | 'fhir')[] = [];
  if (config.bus.startsWith('sqlite:')) embedded.push('bus');
  if (config.objects.startsWith('file:')) embedded.push('objects');
  if (config.records.startsWith('sqlite:')) embedded.push('records');
  if (config.fhir.url === null) embedded.push('fhir');
  return embedded;
}

/** @throws CONFIG_INVALID when a service is to run by itself on adapters that no other process would share. */
export function requireDistributed(config: Config): void {
  const names = {
    bus: 'ENGRAM_BUS_URL',
    objects: 'ENGRAM_OBJECTS_URL',
    records: 'ENGRAM_RECORDS_URL',
    fhir: 'ENGRAM_FHIR_URL',
  };
  const missing = embeddedAdapters(config).map((port) => names[port]);
  if (missing.length === 0) return;
  throw new EngramError('CONFIG_INVALID', `a service by itself needs shared adapters: set ${missing.join(', ')}`, {
    field: missing.join(', '),
  });
}

/** For `--print-config`: secrets say only that they are set, URLs lose their credentials. */
export function redactedConfig(config: Config): Readonly<Record<string, unknown>> {
  return {
    ...config,
    bus: withoutCredentials(config.bus),
    objects: withoutCredentials(config.objects),
    records: withoutCredentials(config.records),
    fhir: {
      ...config.fhir,
      url: config.fhir.url && withoutCredentials(config.fhir.url),
      token: shown(config.fhir.token),
    },
    siteSecret: shown(config.siteSecret),
    token: shown(config.token),
    tls: config.tls && { cert: '[set]', key: '[set]' },
    allow: config.allow.map(withoutCredentials),
    telemetry: {
      ...config.telemetry,
      endpoint: config.telemetry.endpoint && withoutCredentials(config.telemetry.endpoint),
    },
  };
}

const shown = (secret: string | null): string | null => (secret === null ? null : '[set]');

/** Everything before the last `@` of the authority, and every query value. */
const withoutCredentials = (url: string): string =>
  url.replace(/^([a-z0-9+.-]+:\/\/)[^/?#]*@/i, '$1[set]@').replace(/([?&][^=&]+=)[^&#]+/g, '$1[set]');
