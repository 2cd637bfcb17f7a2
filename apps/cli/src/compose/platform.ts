/** The five services and the embedded FHIR server in one process, over shared adapters. */
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Config, notificationSecret, patientKey } from '@engram/config';
import { createFeatureStore } from '@engram/feature-store';
import type { FhirClient } from '@engram/fhir';
import { buildFhirServer } from '@engram/fhir/server';
import { guardedFetch, listen, parseAllowList } from '@engram/http';
import { createIngestion } from '@engram/ingestion';
import { DEFAULT_MODEL, loadModel } from '@engram/models';
import { createPrediction } from '@engram/prediction';
import { createPreprocessing } from '@engram/preprocessing';
import { createResults } from '@engram/results';
import {
  dependencies,
  objectUrls,
  openAdapters,
  peersOver,
  type Service,
  type Serving,
  serve,
  VERSION,
} from '@engram/service';
import { createLogger, startTelemetry, type Telemetry } from '@engram/telemetry';

export interface PlatformUrls {
  readonly fhir: string;
  readonly ingestion: string;
  readonly preprocessing: string;
  readonly feature_store: string;
  readonly prediction: string;
  readonly results: string;
}

export interface PlatformOptions {
  /** `memory` keeps finished spans for `spans()`; otherwise the configuration says where traces go. */
  readonly exporter?: 'memory';
}

export interface Platform {
  readonly urls: PlatformUrls;
  readonly fhir: FhirClient;
  /** An object of the store as text; undefined when there is none. */
  readObject(key: string): Promise<string | undefined>;
  /** Waits until no service has an event left to handle: what was to be written back is. */
  untilQuiet(signal: AbortSignal): Promise<void>;
  /** Finished spans, where they are kept. */
  spans(): ReturnType<Telemetry['spans']>;
  stop(): Promise<void>;
}

/** Ingestion consumes no events: it listens to the FHIR server. */
const GROUPS = ['engram.preprocessing', 'engram.feature-store', 'engram.prediction', 'engram.results'];
const QUIET_POLL_MS = 100;

/**
 * Starts everything; a failure stops what had started.
 * @throws PORT_TAKEN, CONFIG_INVALID, DISK_FULL.
 */
export async function startPlatform(config: Config, options: PlatformOptions = {}): Promise<Platform> {
  await mkdir(config.home, { recursive: true });
  const telemetry = await startTelemetry({
    service: 'engram',
    version: VERSION,
    ...config.telemetry,
    ...(options.exporter ? { exporter: options.exporter } : {}),
  });
  const logger = createLogger({ service: 'engram', level: config.logLevel });
  const stops: (() => Promise<unknown>)[] = [() => telemetry.shutdown()];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const adapters = await openAdapters(config, logger);
    stops.push(() => adapters.close());
    const base = config.fhir.url ?? (await startFhir(config, stops, logger));
    const deps = dependencies(config, adapters, logger, base);
    const token = config.token ?? undefined;
    const shared = { version: VERSION, token, tls: config.tls ?? undefined };
    const peers = peersOver({ fetch: deps.fetch, ...config.peers, token });
    const patientKeyOf = (id: string): string => patientKey(config.siteSecret, base, id);
    const model = fileURLToPath(DEFAULT_MODEL);
    const [progression, modelCardText] = await Promise.all([
      loadModel(model),
      readFile(new URL('MODEL_CARD.md', DEFAULT_MODEL), 'utf8'),
    ]);

    const start = async (name: keyof Config['ports'], service: Service): Promise<Serving> => {
      const serving = await serve(service, { host: config.host, port: config.ports[name] });
      stops.push(() => serving.stop());
      return serving;
    };
    // Last consumers first: what an early service says finds its hearers.
    const results = await start(
      'results',
      await createResults({
        ...deps,
        ...peers,
        ...shared,
        featuresUrl: (id, version) =>
          `${config.peers.featureStore}/api/v1/feature-sets/${id}/versions/${version}/features`,
        modelCardText,
        patientKeyOf,
      }),
    );
    const prediction = await start(
      'prediction',
      await createPrediction({ ...deps, ...peers, ...shared, model: progression, patientKeyOf }),
    );
    const featureStore = await start(
      'feature-store',
      await createFeatureStore({
        ...deps,
        ...shared,
        storageMode: config.storage,
        objectUrlSecret: objectUrls(config)?.secret,
      }),
    );
    const preprocessing = await start('preprocessing', await createPreprocessing({ ...deps, version: VERSION }));
    const ingestion = await start(
      'ingestion',
      await createIngestion({
        ...deps,
        ...shared,
        patientKey: patientKeyOf,
        publicUrl: () => `http://${config.host}:${config.ports.ingestion}`,
        quietMs: config.quietS * 1000,
        pollMs: config.pollS * 1000,
        notificationSecret: notificationSecret(config.siteSecret),
        relay: false,
      }),
    );
    return {
      urls: {
        fhir: base,
        ingestion: ingestion.url,
        preprocessing: preprocessing.url,
        feature_store: featureStore.url,
        prediction: prediction.url,
        results: results.url,
      },
      fhir: deps.fhir,
      async readObject(key) {
        return (await adapters.objects.head(key)) === undefined
          ? undefined
          : Buffer.from(await adapters.objects.get(key)).toString('utf8');
      },
      async untilQuiet(signal) {
        // Twice in a row: a handler that just ended may have left an event that no group has seen yet.
        for (let quiet = 0; quiet < 2; ) {
          signal.throwIfAborted();
          const lags = await Promise.all(GROUPS.map((group) => adapters.bus.lag(group)));
          quiet = lags.every((lag) => lag.events === 0) ? quiet + 1 : 0;
          await new Promise((resolve) => setTimeout(resolve, QUIET_POLL_MS));
        }
      },
      spans: () => telemetry.spans(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startFhir(
  config: Config,
  stops: (() => Promise<unknown>)[],
  logger: ReturnType<typeof createLogger>,
): Promise<string> {
  const ingestion = `http://${config.host}:${config.ports.ingestion}`;
  const server = await buildFhirServer({
    database: `sqlite://${config.home}/fhir.db`,
    // The embedded server tells ingestion and nobody else.
    fetch: guardedFetch({
      allow: parseAllowList([ingestion, ...config.allow.filter((entry) => entry.startsWith('http'))]),
    }),
    token: config.fhir.token ?? undefined,
    version: VERSION,
    logger,
  });
  stops.push(() => server.close());
  return `${await listen(server, { host: config.host, port: config.fhir.port })}/fhir`;
}
