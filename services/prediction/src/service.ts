/** Prediction as a function of its dependencies: composed with the others in one process, or run by itself. */
import { type Bus, idempotently, type Subscription } from '@engram/bus';
import type { App, TlsFiles } from '@engram/http';
import type { Records } from '@engram/records';
import { buildApp } from './app.ts';
import { CONSUMED, consume } from './consume.ts';
import type { ForecastingDeps } from './forecasting.ts';
import { openPredictionStore } from './store.ts';

type Given = Pick<ForecastingDeps, 'objects' | 'fhir' | 'model' | 'patientKeyOf' | 'readFeatureSets'>;

export interface PredictionDeps extends Given {
  readonly records: Records;
  readonly bus: Bus;
  readonly now?: () => Date;
  /** Reads LOINC 52493-4 as CDR and 54629-3 as ADAS-Cog 13, with a warning each. Default false. */
  readonly acceptMisusedCodes?: boolean;
  /** How old projections may be before a request reads them anew. Default 15 min. */
  readonly maxAgeMs?: number;
  readonly retryDelaysMs?: readonly number[];
  readonly version?: string;
  readonly token?: string | undefined;
  readonly tls?: TlsFiles | undefined;
}

export interface Service {
  readonly app: App;
  start(): Promise<void>;
  /** Waits for the handlers under way. Second time does no harm. */
  stop(): Promise<void>;
}

export const GROUP = 'engram.prediction';
const QUARTER_HOUR_MS = 900_000;

export async function createPrediction(deps: PredictionDeps): Promise<Service> {
  const { records, bus, now = () => new Date() } = deps;
  const forecasting: ForecastingDeps = {
    ...deps,
    now,
    store: openPredictionStore(records),
    acceptMisusedCodes: deps.acceptMisusedCodes ?? false,
    maxAgeMs: deps.maxAgeMs ?? QUARTER_HOUR_MS,
  };
  const { version = '0.1.0', token, tls } = deps;
  const app = await buildApp({ ...forecasting, version, token, tls });
  const handler = idempotently(
    { records, collection: 'prediction.inbox', group: GROUP, now: () => now().getTime() },
    async ({ event }) => consume(forecasting, event),
  );
  let subscription: Subscription | undefined;
  return {
    app,
    async start() {
      subscription = await bus.subscribe({
        group: GROUP,
        types: CONSUMED,
        handler,
        ...(deps.retryDelaysMs ? { retryDelaysMs: deps.retryDelaysMs } : {}),
      });
    },
    async stop() {
      await subscription?.close();
      subscription = undefined;
    },
  };
}
