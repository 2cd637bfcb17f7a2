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
  isKnown,
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

/** A task's progress: most of all events. The version in its run's record tells a repeat, and nothing else follows from it. */
export const isOfTask = ({ type, data }: EngramEvent): boolean =>
  type === events.runProgressed.type &&
  typeof data === 'object' &&
  data !== null &&
  'task' in data &&
  data.task !== null;

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
  const { patient_key, study_id } = event.data;
  await apply(deps.store.studies, study_id, (current) => decideStudy(current, event));
  await reportStatus(deps, patient_key, [study_id]);
}

async function onProgress(deps: ConsumeDeps, event: EngramEvent<DataOf<'runProgressed'>>): Promise<void> {
  const { run_id, patient_key, studies, task } = event.data;
  await apply(deps.store.runs, run_id, (current) => decideProgress(current, event));
  // Only a change of the run itself is worth a look at the hospital's server, not each task's.
  if (task === null) await reportStatus(deps, patient_key, idsOf(studies));
}

async function onEnded(
  deps: ConsumeDeps,
  event: EngramEvent<DataOf<'runCompleted'> | DataOf<'runFailed'> | DataOf<'runCancelled'>>,
): Promise<void> {
  const { run_id, patient_key, studies } = event.data;
  await apply(deps.store.runs, run_id, (current) => decideEnded(current, event));
  await reportStatus(deps, patient_key, idsOf(studies));
}

const idsOf = (studies: readonly { readonly study_id: string }[]): readonly string[] =>
  studies.map(({ study_id }) => study_id);

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
  const studyIds = idsOf(data.studies);
  await writeFeatures(deps, features, {
    featureSetId: data.feature_set_id,
    version: data.version,
    patientKey: data.patient_key,
    patientReference: data.patient_reference,
    studyIds,
    issued: event.time,
    withdrawn: data.withdrawn,
    sequence: event.subjectversion,
  });
  await apply(deps.store.featureSets, data.feature_set_id, (current) => decideFeatures(current, event));
  await reportStatus(deps, data.patient_key, [...studyIds, ...(known?.study_ids ?? [])]);
}

async function onForecast(deps: ConsumeDeps, event: EngramEvent<DataOf<'forecastMade'>>): Promise<void> {
  const { data } = event;
  const { forecasts } = deps.store;
  // A repeat: the record is kept after the write, so its resources are there.
  if (isKnown((await forecasts.get(data.forecast_id))?.value, event)) return;
  const forecast = await deps.readForecast(data.forecast_id);
  if (forecast === undefined)
    throw new EngramError('UPSTREAM_FAILED', 'prediction does not know the forecast it told of');
  const studyIds = [...new Set(forecast.inputs.feature_sets.filter((set) => set.used).flatMap((set) => set.study_ids))];
  await writeForecast(deps, forecast, {
    patientKey: data.patient_key,
    patientReference: data.patient_reference,
    studyIds,
    modelCardText: deps.modelCardText,
    withdrawn: data.withdrawn ?? false,
    sequence: event.subjectversion,
  });
  await apply(forecasts, data.forecast_id, (current) => decideForecast(current, event, studyIds));
}

async function onRefused(deps: ConsumeDeps, event: EngramEvent<DataOf<'forecastRefused'>>): Promise<void> {
  await apply(deps.store.forecasts, event.id, (current) => decideForecast(current, event, []));
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

/** The study says so at once, and so do those of its runs' other studies. Feature sets and forecasts say so themselves. */
async function onRetracted(deps: ConsumeDeps, event: EngramEvent<DataOf<'studyRetracted'>>): Promise<void> {
  const { patient_key, study_id } = event.data;
  await apply(deps.store.studies, study_id, (current) => decideRetracted(current, event));
  const runs = await ofPatient(deps.store.runs, patient_key, 'created_at');
  const shared = runs.map(({ studies }) => idsOf(studies)).filter((ids) => ids.includes(study_id));
  await reportStatus(deps, patient_key, [study_id, ...shared.flat()]);
}
