/** The settings that come by environment: names, forms and defaults in one table. Pure. */
import { z } from 'zod';

/** `name` or `name_FILE` (a file that holds it, as container platforms hand out secrets), resolved before this is parsed. */
export const SECRET_NAMES = [
  'ENGRAM_SITE_SECRET',
  'ENGRAM_TOKEN',
  'ENGRAM_FHIR_TOKEN',
  // URLs that may hold a password.
  'ENGRAM_BUS_URL',
  'ENGRAM_RECORDS_URL',
] as const;

export const SERVICES = ['ingestion', 'preprocessing', 'feature-store', 'prediction', 'results', 'fhir'] as const;
export type ServiceName = (typeof SERVICES)[number];

const url = (schemes: readonly string[]) =>
  z.string().refine((text) => schemes.some((scheme) => text.startsWith(scheme)), {
    error: `must start with ${schemes.join(' or ')}`,
  });
const httpUrl = url(['http://', 'https://']).refine((text) => URL.canParse(text), { error: 'is not a URL' });
const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const whole = (fallback: number, min = 0) => z.coerce.number().int().min(min).default(fallback);
const flag = z
  .enum(['0', '1', 'true', 'false'])
  .default('0')
  .transform((text) => text === '1' || text === 'true');
const list = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ''))
  .pipe(
    z.array(
      url(['https://', 'http://', 'file:///', 's3://']).refine((text) => URL.canParse(text), { error: 'is not a URL' }),
    ),
  );

export const environment = z.object({
  ENGRAM_HOME: z.string().min(1).default('.engram').describe('where the embedded adapters keep their files'),
  ENGRAM_BUS_URL: url(['sqlite:', 'kafka://'])
    .optional()
    .describe('events: sqlite:///path/bus.db or kafka://host:port[,host:port][?client=…&replication=…], see libs/bus'),
  ENGRAM_OBJECTS_URL: url(['file:', 's3://'])
    .optional()
    .describe(
      'images and feature files: file:///folder or s3://bucket/prefix?endpoint=https://host:port&region=…; credentials as AWS reads them',
    ),
  ENGRAM_RECORDS_URL: url(['sqlite:', 'mongodb://', 'mongodb+srv://'])
    .optional()
    .describe('runs, sessions, forecasts: sqlite:///folder/file.db or mongodb://host/database as its driver reads it'),
  ENGRAM_FHIR_URL: httpUrl.optional().describe('base of the FHIR R4 server; the embedded one when not set'),
  ENGRAM_FHIR_TOKEN: z.string().min(1).optional().describe('bearer token for the FHIR server'),
  ENGRAM_DEVICE: z.enum(['auto', 'wasm', 'scalar', 'webgpu']).default('auto').describe('imaging device'),
  ENGRAM_SEGMENTER: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder of a segmentation network whose labels take the place of the registered atlas’s, see docs/algorithms/segmenter.md',
    ),
  ENGRAM_HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  ENGRAM_INGESTION_PORT: port(7011),
  ENGRAM_PREPROCESSING_PORT: port(7012),
  ENGRAM_FEATURE_STORE_PORT: port(7013),
  ENGRAM_PREDICTION_PORT: port(7014),
  ENGRAM_RESULTS_PORT: port(7015),
  ENGRAM_FHIR_PORT: port(7010).describe('of the embedded FHIR server'),
  ENGRAM_INGESTION_URL: httpUrl.optional().describe('where results reads sessions; this host when not set'),
  ENGRAM_FEATURE_STORE_URL: httpUrl.optional().describe('where features are read; this host when not set'),
  ENGRAM_PREDICTION_URL: httpUrl.optional().describe('where results reads forecasts; this host when not set'),
  ENGRAM_SITE_SECRET: z
    .string()
    .min(32)
    .optional()
    .describe('makes patient keys; at least 32 characters, one per site'),
  ENGRAM_TOKEN: z.string().min(16).optional().describe('bearer token that callers must send'),
  ENGRAM_TLS_CERT_FILE: z.string().min(1).optional(),
  ENGRAM_TLS_KEY_FILE: z.string().min(1).optional(),
  ENGRAM_BEHIND_TLS_PROXY: flag.describe('1 when a proxy in front ends TLS'),
  ENGRAM_ALLOW: list.describe('URLs and folders that images and callbacks may come from: https://, s3://, file:///'),
  ENGRAM_WORKERS: whole(1, 1).describe('runs worked on at once by one preprocessing process'),
  ENGRAM_TASK_MEMORY_MB: whole(6144, 256).describe('ceiling of one run’s child process'),
  ENGRAM_TASK_TIMEOUT_S: whole(3600, 1).describe('time limit of one task'),
  ENGRAM_CACHE_MB: whole(20_480).describe('cap of intermediate task results; the oldest go first'),
  ENGRAM_TASK_RESULTS_DAYS: whole(0).describe(
    'days after which an S3 store itself drops intermediate results; 0 leaves the bucket’s rules alone',
  ),
  ENGRAM_RAW_COLD_DAYS: whole(0).describe(
    'days after which AWS S3 moves raw DICOM to GLACIER_IR; 0 leaves the bucket’s rules alone',
  ),
  ENGRAM_QUIET_S: whole(60).describe('seconds without change before a study counts as whole'),
  ENGRAM_POLL_S: whole(30, 1).describe('how often ingestion asks the FHIR server for what a lost notification missed'),
  ENGRAM_STORAGE: z.enum(['all', 'features-only']).default('all'),
  ENGRAM_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  ENGRAM_EXPORTER: z.enum(['none', 'console', 'otlp']).default('none').describe('where traces go'),
  ENGRAM_OTLP_URL: httpUrl.optional().describe('such as http://127.0.0.1:4318'),
});
export type Environment = z.infer<typeof environment>;
