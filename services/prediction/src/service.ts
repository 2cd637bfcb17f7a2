/** Prediction as a function of its dependencies: composed with the others in one process, or run by itself. */
import { type Bus, idempotently, type SubscribeOptions, type Subscription } from '@engram/bus';
import type { Forecast } from '@engram/contracts';
import type { App, TlsFiles } from '@engram/http';
import type { Records } from '@engram/records';
import { buildApp } from './app.ts';
import { CONSUMED, consume } from './consume.ts';
import type { ForecastingDeps } from './forecasting.ts';
import { storedForecast } from './projection.ts';
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

const forecastingOf = (deps: Omit<PredictionDeps, 'bus'>): ForecastingDeps => ({
  ...deps,
  now: deps.now ?? (() => new Date()),
  store: openPredictionStore(deps.records),
  acceptMisusedCodes: deps.acceptMisusedCodes ?? false,
  maxAgeMs: deps.maxAgeMs ?? QUARTER_HOUR_MS,
});

/** What the service does with events: the whole of it below its HTTP interface. */
export function predictionSubscription(deps: Omit<PredictionDeps, 'bus'>): SubscribeOptions {
  const { records, retryDelaysMs } = deps;
  const forecasting = forecastingOf(deps);
  const handler = idempotently(
    { records, collection: 'prediction.inbox', group: GROUP, now: () => forecasting.now().getTime() },
    async ({ event }) => consume(forecasting, event),
  );
  return { group: GROUP, types: CONSUMED, handler, ...(retryDelaysMs ? { retryDelaysMs } : {}) };
}

/** What `GET /api/v1/forecasts/{id}` answers with; undefined where it answers 404. */
export async function forecastById(records: Records, id: string): Promise<Forecast | undefined> {
  const record = await openPredictionStore(records).forecast(id);
  return record && storedForecast(record);
}

export async function createPrediction(deps: PredictionDeps): Promise<Service> {
  const { bus } = deps;
  const forecasting = forecastingOf(deps);
  const { version = '0.1.0', token, tls } = deps;
  const app = await buildApp({ ...forecasting, version, token, tls });
  let subscription: Subscription | undefined;
  return {
    app,
    async start() {
      subscription = await bus.subscribe(predictionSubscription(deps));
    },
    async stop() {
      await subscription?.close();
      subscription = undefined;
    },
  };
}
