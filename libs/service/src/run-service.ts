/** A whole `main.ts`: configuration → adapters → service → listen → graceful close. */
import { type Config, loadConfig, redactedConfig, requireDistributed, type ServiceName } from '@engram/config';
import { asEngramError } from '@engram/errors';
import { type FhirClient, openFhir } from '@engram/fhir';
import { type AllowList, type Fetch, guardedFetch, parseAllowList } from '@engram/http';
import { createLogger, type Logger, startTelemetry } from '@engram/telemetry';
import closeWithGrace from 'close-with-grace';
import { type Adapters, openAdapters } from './adapters.ts';
import { type Service, serve } from './serve.ts';

export const VERSION = '0.1.0';

export interface ServiceDeps extends Pick<Adapters, 'bus' | 'objects' | 'records'> {
  readonly config: Config;
  readonly fhir: FhirClient;
  /** Outgoing requests to allow-listed addresses only. */
  readonly fetch: Fetch;
  readonly allow: AllowList;
  readonly logger: Logger;
}

/** Longer than any handler should take, shorter than the 30 s an orchestrator waits before it kills. */
const CLOSE_MS = 25_000;

/**
 * Runs one service in this process until a signal. `--check` assembles it and ends; `--print-config` prints the settings
 * without secrets and ends. Standard error gets one plain line when it cannot start, and the exit status is 1.
 */
export async function runService(
  name: Exclude<ServiceName, 'fhir'>,
  create: (deps: ServiceDeps) => Promise<Service>,
): Promise<void> {
  try {
    const config = loadConfig({ env: process.env });
    if (process.argv.includes('--print-config')) {
      process.stdout.write(`${JSON.stringify(redactedConfig(config), null, 2)}\n`);
      return;
    }
    // A check assembles what would run; only a real start insists on adapters that other processes share.
    const check = process.argv.includes('--check');
    if (!check) requireDistributed(config);
    const telemetry = await startTelemetry({ service: name, version: VERSION, ...config.telemetry });
    const logger = createLogger({ service: name, level: check ? 'silent' : config.logLevel });
    const adapters = await openAdapters(config, logger);
    const deps = dependencies(config, adapters, logger);
    const service = await create(deps);
    if (check) {
      await service.app.ready();
      await service.app.close();
      await adapters.close();
      await telemetry.shutdown();
      return;
    }
    const serving = await serve(service, { host: config.host, port: config.ports[name] });
    logger.info('listening', { url: serving.url });
    closeWithGrace({ delay: CLOSE_MS }, async () => {
      await serving.stop();
      await adapters.close();
      await telemetry.shutdown();
    });
  } catch (thrown) {
    const error = asEngramError(thrown);
    process.stderr.write(`engram ${name}: ${error.message} (${error.code})\n`);
    process.exitCode = 1;
  }
}

/** What a service is made of, over adapters that may be shared. The FHIR server is always a place we may speak to. */
export function dependencies(config: Config, adapters: Adapters, logger: Logger, fhirBase?: string): ServiceDeps {
  const base = fhirBase ?? config.fhir.url ?? `http://${config.host}:${config.fhir.port}/fhir`;
  const allow = parseAllowList([
    ...config.allow,
    ...[base, ...Object.values(config.peers)].map((url) => new URL(url).origin),
  ]);
  const fetch = guardedFetch({ allow });
  const fhir = openFhir({ url: base, fetch, token: config.fhir.token ?? undefined });
  return {
    config,
    bus: adapters.bus,
    objects: adapters.objects,
    records: adapters.records,
    fhir,
    fetch,
    allow,
    logger,
  };
}
