/** Forecasts made so far, by id and by patient. */
import { forecast, forecastHistory } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { App } from '@engram/http';
import { z } from 'zod';
import type { ForecastingDeps } from '../forecasting.ts';
import { storedForecast } from '../projection.ts';

export function addForecastRoutes(app: App, { store, patientKeyOf }: ForecastingDeps): void {
  app.get(
    '/api/v1/forecasts/:id',
    {
      schema: {
        summary: 'One forecast as it was made, withdrawn ones too',
        params: z.object({ id: z.string() }),
        response: { 200: forecast },
      },
    },
    async ({ params }) => {
      const record = await store.forecast(params.id);
      if (!record) throw new EngramError('FORECAST_NOT_FOUND', 'there is no forecast with this id', { field: 'id' });
      return storedForecast(record);
    },
  );

  app.get(
    '/api/v1/forecasts',
    {
      schema: {
        summary: 'Forecasts of a patient, newest first',
        querystring: z.object({ patient_id: z.string().min(1).max(128) }),
        response: { 200: forecastHistory },
      },
    },
    async ({ query }) => {
      const patientKey = patientKeyOf(query.patient_id.replace(/^Patient\//, ''));
      const [patient, records] = await Promise.all([store.patient(patientKey), store.forecastsOf(patientKey)]);
      return {
        forecasts: records.map(({ forecast: made, made_at, withdrawn }) => ({
          forecast_id: made.forecast_id,
          made_at,
          index_date: made.index_date,
          model_version: made.model_version,
          current: made.forecast_id === patient?.forecast_id,
          withdrawn,
        })),
        refusal: patient?.refusal ?? null,
      };
    },
  );
}
