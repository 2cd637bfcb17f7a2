/** The button: `POST /api/v1/adni/predict-progression`. */
import { type Forecast, forecast } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import { traceparent } from '@engram/telemetry';
import { z } from 'zod';
import { type ForecastingDeps, forecastOf } from '../forecasting.ts';

const patientId = z.string().min(1).max(128);

export function addPredictRoute(app: App, deps: ForecastingDeps): void {
  app.post(
    '/api/v1/adni/predict-progression',
    {
      schema: {
        summary: 'The forecast of a patient from stored features and measured scores',
        querystring: z.object({ patient_id: patientId.optional() }),
        body: z.object({ patient_id: patientId.optional() }).nullish(),
        response: { 200: forecast },
      },
    },
    async ({ query, body }): Promise<Forecast> => {
      const started = performance.now();
      const asked = body?.patient_id ?? query.patient_id;
      if (asked === undefined) {
        throw new EngramError('REQUEST_INVALID', 'patient_id is missing: give it in the body or the query', {
          field: 'patient_id',
        });
      }
      const outcome = await forecastOf(deps, asked.replace(/^Patient\//, ''), { traceparent: traceparent() });
      if (outcome.kind === 'pending') throw new EngramError('FORECAST_PENDING', outcome.reason);
      if (outcome.kind === 'refused') throw new EngramError(outcome.code, outcome.reason);
      const seconds = (performance.now() - started) / 1000;
      return { ...outcome.forecast, processing_time_seconds: Number(seconds.toFixed(4)) };
    },
  );
}
