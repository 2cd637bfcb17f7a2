/** Events in: parse, write back, keep. Delivery is at least once; every path may be walked twice. */
import { createHash } from 'node:crypto';
import { type EngramEvent, events, type Forecast, type RoiFeatures, roiFeatures } from '@engram/contracts';
import { EngramError } from '@engram/errors';
import type { FhirClient } from '@engram/fhir';
import type { Objects } from '@engram/objects';
import type { z } from 'zod';
import {
  type DataOf,
  decideEnded,
  decideFeatures,
  decideForecast,
  decideProgress,
  decideRetracted,
  decideStudy,
  statusOfRun,
} from './decide.ts';
import { apply, ofPatient, type ResultsStore } from './store.ts';
import { reportStatus, writeFeatures, writeForecast } from './write-back/effects.ts';

export interface ConsumeDeps {
  readonly store: ResultsStore;
  readonly objects: Objects;
  readonly fhir: FhirClient;
  readonly now: () => Date;
  /** Contract HTTP of the prediction service. @throws UPSTREAM_FAILED */
  readonly readForecast: (forecastId: string) => Promise<Forecast | undefined>;
  /** Where the features of a feature set's version are read by others: the value of the study's URL extension. */
  readonly featuresUrl: (featureSetId: string, version: number) => string;
  /** Text of the model card of the forecast model. */
  readonly modelCardText: string;
}

export const CONSUMED = [
  events.studyReceived.type,
  events.runProgressed.type,
  events.runCompleted.type,
  events.runFailed.type,
  events.runCancelled.type,
  events.featuresStored.type,
  events.forecastMade.type,
  events.forecastRefused.type,
  events.reviewRequested.type,
  events.studyRetracted.type,
] as const;

function parsed<S extends z.ZodType>(
  definition: { readonly type: string; readonly data: S },
  event: EngramEvent,
): EngramEvent<z.infer<S>> {
  const result = definition.data.safeParse(event.data);
  if (result.success) return { ...event, data: result.data };
  const [issue] = result.error.issues;
  throw new EngramError(
    'EVENT_INVALID',
    `${definition.type} does not fit its schema at ${issue?.path.join('.') ?? ''}`,
    {
      field: issue?.path.join('.') ?? '',
      cause: result.error,
    },
  );
}

/** @throws EVENT_INVALID when the event does not fit its schema; what the FHIR server or another service threw. */
export async function consume(deps: ConsumeDeps, event: EngramEvent): Promise<void> {
  switch (event.type) {
    case events.studyReceived.type:
      return onStudy(deps, parsed(events.studyReceived, event));
    case events.runProgressed.type:
      return onProgress(deps, parsed(events.runProgressed, event));
    case events.runCompleted.type:
      return onEnded(deps, parsed(events.runCompleted, event));
    case events.runFailed.type:
      return onEnded(deps, parsed(events.runFailed, event));
    case events.runCancelled.type:
      return onEnded(deps, parsed(events.runCancelled, event));
    case events.featuresStored.type:
      return onFeatures(deps, parsed(events.featuresStored, event));
    case events.forecastMade.type:
      return onForecast(deps, parsed(events.forecastMade, event));
    case events.forecastRefused.type:
      return onRefused(deps, parsed(events.forecastRefused, event));
    case events.reviewRequested.type:
      return onReview(deps, parsed(events.reviewRequested, event));
    case events.studyRetracted.type:
      return onRetracted(deps, parsed(events.studyRetracted, event));
    default:
      return;
  }
}

async function onStudy(deps: ConsumeDeps, event: EngramEvent<DataOf<'studyReceived'>>): Promise<void> {
  await apply(deps.store.studies, event.data.study_id, (current) => decideStudy(current, event));
  // Order holds within a topic only: what a run said of the study since is the later news.
  if (event.data.state === 'waiting' && !(await hasRunSince(deps, event)))
    await reportStatus(deps, event.data.study_id, 'waiting', event.time);
}

async function hasRunSince(
  { store }: ConsumeDeps,
  { data: { patient_key, study_id }, time }: EngramEvent<DataOf<'studyReceived'>>,
): Promise<boolean> {
  const runs = await ofPatient(store.runs, patient_key, 'updated_at');
  return runs.some(({ studies, updated_at }) => updated_at > time && studies.some((one) => one.study_id === study_id));
}

async function onProgress(deps: ConsumeDeps, event: EngramEvent<DataOf<'runProgressed'>>): Promise<void> {
  const before = (await deps.store.runs.get(event.data.run_id))?.value;
  const run = await apply(deps.store.runs, event.data.run_id, (current) => decideProgress(current, event));
  // Only a change of the run itself is worth a write to the hospital's server, not each task's.
  if (run === undefined || (before && statusOfRun(before.status) === statusOfRun(run.status))) return;
  const status = statusOfRun(run.status);
  if (status === 'completed') return; // said when the features are stored
  for (const study of run.studies) await reportStatus(deps, study.study_id, status, event.time);
}

async function onEnded(
  deps: ConsumeDeps,
  event: EngramEvent<DataOf<'runCompleted'> | DataOf<'runFailed'> | DataOf<'runCancelled'>>,
): Promise<void> {
  await apply(deps.store.runs, event.data.run_id, (current) => decideEnded(current, event));
  // New numbers say so themselves, once they are stored. Equal numbers are not stored again, and those of before stand
  // when a later run is called off: then nothing else would say so.
  const hasNumbers = await hasFeatures(deps, event.data.session_id);
  if ('artifacts' in event.data && !hasNumbers) return;
  const status = 'error' in event.data ? 'failed' : hasNumbers ? 'completed' : 'cancelled';
  for (const study of event.data.studies) await reportStatus(deps, study.study_id, status, event.time);
}

async function hasFeatures({ store }: ConsumeDeps, session_id: string): Promise<boolean> {
  const sets = await store.featureSets.find({ where: { session_id } });
  return sets.records.some(({ value }) => !value.withdrawn);
}

async function featuresOf(deps: ConsumeDeps, key: string): Promise<RoiFeatures> {
  const text = new TextDecoder().decode(await deps.objects.get(key));
  const result = roiFeatures.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  throw new EngramError('EVENT_INVALID', 'roi_features.json does not fit its schema', {
    file: 'roi_features.json',
    cause: result.error,
  });
}

async function onFeatures(deps: ConsumeDeps, event: EngramEvent<DataOf<'featuresStored'>>): Promise<void> {
  const { data } = event;
  const known = (await deps.store.featureSets.get(data.feature_set_id))?.value;
  if (known && known.sequence > event.subjectversion) return;
  const features = await featuresOf(deps, data.features_key);
  const studyIds = data.studies.map((study) => study.study_id);
  await writeFeatures(deps, features, {
    featureSetId: data.feature_set_id,
    version: data.version,
    patientKey: data.patient_key,
    patientReference: data.patient_reference,
    studyIds,
    issued: event.time,
    withdrawn: data.withdrawn,
    petTakenBack: known?.pet === true && !data.pet,
  });
  for (const id of studyIds) {
    const url = data.withdrawn ? null : deps.featuresUrl(data.feature_set_id, data.version);
    await reportStatus(deps, id, data.withdrawn ? 'withdrawn' : 'completed', event.time, url);
  }
  await apply(deps.store.featureSets, data.feature_set_id, (current) => decideFeatures(current, event));
}

async function onForecast(deps: ConsumeDeps, event: EngramEvent<DataOf<'forecastMade'>>): Promise<void> {
  const { data } = event;
  const known = (await deps.store.forecasts.get(data.forecast_id))?.value;
  // A repeat: the record is kept after the write, so its resources are there. A withdrawn one may be made again.
  if (known && !known.withdrawn) return;
  const forecast = await deps.readForecast(data.forecast_id);
  if (forecast === undefined)
    throw new EngramError('UPSTREAM_FAILED', 'prediction does not know the forecast it told of');
  const studyIds = [...new Set(forecast.inputs.feature_sets.filter((set) => set.used).flatMap((set) => set.study_ids))];
  // Order holds within a topic only: the retraction of a study may have come before the forecast that rests on it.
  const studies = await Promise.all(studyIds.map((id) => deps.store.studies.get(id)));
  const withdrawn = studies.some((study) => study !== undefined && study.value.retracted !== null);
  if (known && withdrawn) return;
  await writeForecast(deps, forecast, {
    patientKey: data.patient_key,
    patientReference: data.patient_reference,
    studyIds,
    modelCardText: deps.modelCardText,
    withdrawn,
  });
  await apply(deps.store.forecasts, data.forecast_id, (current) =>
    current && !current.withdrawn ? undefined : { ...decideForecast(event, studyIds), withdrawn },
  );
}

async function onRefused(deps: ConsumeDeps, event: EngramEvent<DataOf<'forecastRefused'>>): Promise<void> {
  await apply(deps.store.forecasts, event.id, (current) => (current ? undefined : decideForecast(event, [])));
}

async function onReview(deps: ConsumeDeps, event: EngramEvent<DataOf<'reviewRequested'>>): Promise<void> {
  const { data } = event;
  const id = createHash('sha256').update([data.about, data.id, data.code].join('\n')).digest('hex').slice(0, 32);
  await apply(deps.store.reviews, id, (current) =>
    current
      ? undefined
      : {
          patient_key: data.patient_key,
          about: data.about,
          about_id: data.id,
          code: data.code,
          reason: data.reason,
          at: event.time,
        },
  );
}

/** Withdraws what was derived: the study's status now, the forecasts that rest on it; feature sets say so themselves. */
async function onRetracted(deps: ConsumeDeps, event: EngramEvent<DataOf<'studyRetracted'>>): Promise<void> {
  const { data } = event;
  await apply(deps.store.studies, data.study_id, (current) => decideRetracted(current, event));
  await reportStatus(deps, data.study_id, 'withdrawn', event.time, null);
  for (const record of await ofPatient(deps.store.forecasts, data.patient_key, 'at')) {
    if (record.forecast_id === null || record.withdrawn || !record.study_ids.includes(data.study_id)) continue;
    const forecast = await deps.readForecast(record.forecast_id);
    if (forecast !== undefined) {
      await writeForecast(deps, forecast, {
        patientKey: data.patient_key,
        patientReference: `Patient/${record.patient_id}`,
        studyIds: record.study_ids,
        modelCardText: deps.modelCardText,
        withdrawn: true,
      });
    }
    await apply(deps.store.forecasts, record.forecast_id, (current) =>
      current && !current.withdrawn ? { ...current, withdrawn: true } : undefined,
    );
  }
}
