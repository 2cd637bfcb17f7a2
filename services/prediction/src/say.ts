/** The events of a forecast: that it was made, and that it no longer stands. Each is the next version of it. Pure. */
import { type EngramEvent, events, makeEvent } from '@engram/contracts';
import type { ForecastRecord } from './projection.ts';
import type { Change } from './store.ts';

const SOURCE = '/engram/prediction';

/** @param at when it was made, or withdrawn. */
export function sayForecast(record: ForecastRecord, at: Date, traceparent: string | undefined): EngramEvent {
  const { forecast, patient_key, withdrawn, sequence } = record;
  return makeEvent(events.forecastMade, {
    source: SOURCE,
    subject: forecast.forecast_id,
    subjectVersion: sequence,
    patientKey: patient_key,
    time: at,
    traceparent,
    data: {
      patient_key,
      patient_id: forecast.patient_id,
      patient_reference: `Patient/${forecast.patient_id}`,
      forecast_id: forecast.forecast_id,
      model_version: forecast.model_version,
      feature_sets: forecast.inputs.feature_sets
        .filter(({ used }) => used)
        .map(({ feature_set_id, version, session_id }) => ({ feature_set_id, version, session_id })),
      withdrawn: withdrawn !== null,
    },
  });
}

export function withdrawn(
  record: ForecastRecord,
  why: string,
  now: Date,
  traceparent: string | undefined,
): Change<ForecastRecord> {
  const value: ForecastRecord = { ...record, withdrawn: why, sequence: record.sequence + 1 };
  return { value, events: [sayForecast(value, now, traceparent)] };
}
