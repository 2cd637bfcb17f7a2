/** The HTTP interface of prediction; no port, no process. */
import { type App, createApp, type TlsFiles } from '@engram/http';
import type { ForecastingDeps } from './forecasting.ts';
import { addForecastRoutes } from './routes/forecasts.ts';
import { addPredictRoute } from './routes/predict.ts';

export interface BuildAppDeps extends ForecastingDeps {
  readonly version: string;
  readonly token?: string | undefined;
  readonly tls?: TlsFiles | undefined;
}

export async function buildApp(deps: BuildAppDeps): Promise<App> {
  const app = await createApp({
    service: 'prediction',
    version: deps.version,
    token: deps.token,
    tls: deps.tls,
    ready: { records: () => deps.store.ping() },
  });
  addPredictRoute(app, deps);
  addForecastRoutes(app, deps);
  return app;
}
