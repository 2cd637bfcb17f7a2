/** Events in: keep the projection, then make the forecast that follows, so that the button mostly reads. */
import { type EngramEvent, events, type Forecast, type PatientKey } from '@engram/contracts';
import { EngramError, isEngramError } from '@engram/errors';
import type { z } from 'zod';
import { type ForecastingDeps, forecastOf } from './forecasting.ts';
import { readFeatures } from './read-features.ts';
import { withdrawn } from './say.ts';

export const CONSUMED = [events.featuresStored.type, events.scoreReceived.type, events.studyRetracted.type] as const;

function dataOf<S extends z.ZodType>(
  definition: { readonly type: string; readonly data: S },
  event: EngramEvent,
): z.infer<S> {
  const parsed = definition.data.safeParse(event.data);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new EngramError('EVENT_INVALID', `${definition.type} does not fit its schema at ${field}`, {
    field,
    cause: parsed.error,
  });
}

/** @throws EVENT_INVALID when the event does not fit its schema; what the ports throw, for the retry topics */
export async function consume(deps: ForecastingDeps, event: EngramEvent): Promise<void> {
  switch (event.type) {
    case events.featuresStored.type:
      return onFeatures(deps, event);
    case events.scoreReceived.type:
      return onScore(deps, event);
    case events.studyRetracted.type:
      return onRetracted(deps, event);
  }
}

/** A patient who is gone needs no forecast: the event has had its effect. */
async function recompute(deps: ForecastingDeps, patientId: string, event: EngramEvent): Promise<void> {
  try {
    await forecastOf(deps, patientId, { anew: true, traceparent: event.traceparent });
  } catch (error) {
    if (!isEngramError(error, 'PATIENT_NOT_FOUND')) throw error;
  }
}

async function onFeatures(deps: ForecastingDeps, event: EngramEvent): Promise<void> {
  const data = dataOf(events.featuresStored, event);
  await deps.store.keepSession(await readFeatures(deps.objects, { ...data, sequence: event.subjectversion }));
  // An earlier version in use again means that what the later ones rested on was taken back.
  await withdraw(deps, event, data.patient_key, 'a feature set was withdrawn', ({ inputs }) =>
    inputs.feature_sets.some(
      (set) => set.used && set.feature_set_id === data.feature_set_id && (data.withdrawn || set.version > data.version),
    ),
  );
  await recompute(deps, data.patient_id, event);
}

async function onScore(deps: ForecastingDeps, event: EngramEvent): Promise<void> {
  const data = dataOf(events.scoreReceived, event);
  await recompute(deps, data.patient_reference.replace(/^Patient\//, ''), event);
}

const PATIENT_GONE = new Set(['patient-merged', 'patient-deleted']);

async function onRetracted(deps: ForecastingDeps, event: EngramEvent): Promise<void> {
  const data = dataOf(events.studyRetracted, event);
  const gone = PATIENT_GONE.has(data.why);
  const patient = await deps.store.patient(data.patient_key);
  await withdraw(
    deps,
    event,
    data.patient_key,
    data.why,
    ({ inputs }) => gone || inputs.feature_sets.some((set) => set.used && set.study_ids.includes(data.study_id)),
  );
  // The feature store will say what is left; until then nothing is made from what was taken back.
  for (const session of await deps.store.sessionsOf(data.patient_key)) {
    if (session.study_ids.includes(data.study_id)) await deps.store.maskSession(session.feature_set_id, data.study_id);
  }
  if (gone) await deps.store.forgetPatient(data.patient_key);
  else if (patient) await recompute(deps, patient.inputs.patient_id, event);
}

async function withdraw(
  { store, now }: ForecastingDeps,
  { traceparent }: EngramEvent,
  patientKey: PatientKey,
  why: string,
  concerns: (forecast: Forecast) => boolean,
): Promise<void> {
  for (const record of await store.forecastsOf(patientKey)) {
    if (record.withdrawn !== null || !concerns(record.forecast)) continue;
    await store.changeForecast(record.forecast.forecast_id, (current) =>
      current && current.withdrawn === null ? withdrawn(current, why, now(), traceparent) : undefined,
    );
  }
}
